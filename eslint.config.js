import tseslint from 'typescript-eslint';

const pure = ['base', 'protocol', 'wire', 'evm', 'bitcoin', 'permission', 'watch'].map(
  (name) => `packages/${name}/src/**/*.ts`,
);
const because = 'Pure packages take time and entropy as values (ports Clock and Entropy).';

export default tseslint.config(
  {
    ignores: [
      ...['packages/bitcoin/assembly/**', '**/node_modules/**', '**/dist/**', 'vendor/**', 'coverage/**'],
      ...['.stryker/**', 'reports/**'],
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['packages/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 600, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: pure,
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: because },
        { object: 'Math', property: 'random', message: because },
        { object: 'performance', property: 'now', message: because },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: because },
        { selector: 'TSEnumDeclaration', message: 'No enums: a union of string literals says the same.' },
      ],
    },
  },
  {
    files: ['packages/cli/src/**', 'packages/devnet/src/**', 'packages/testkit/src/**', 'scripts/**'],
    rules: { 'no-console': 'off' },
  },
);
