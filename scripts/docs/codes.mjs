// Finds every error code that the source can emit, by reading the syntax and not the text: the code of a thrown
// CodedError, of a refusal, of an `err(…)`, and the members of unions that name codes. What computes a code at run time
// is listed by hand below, with the place.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

/** Functions whose first argument is a code. The value is what stands before it in the code that comes out. */
const CALLS = {
  coded: '',
  connectionError: '',
  err: '',
  errorOfCode: '',
  failure: '',
  fault: '',
  refuse: '',
  refused: '',
  usageError: 'usage_',
};
const CODE_UNION = /(Code|Error|Fault|Failure)$/;
const CODE = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** Codes that no syntax shows whole. Each is checked to stand in its file still, by the text beside it. */
export const COMPUTED = [
  { code: 'grant_unknown', file: 'packages/keep/src/step/commands.ts', text: '`${what}_unknown`' },
  { code: 'node_too_old', file: 'packages/cli/bin/keepwatch.mjs', text: '(node_too_old)' },
  { code: 'node_failed', file: 'packages/cli/bin/keepwatch.mjs', text: '(node_failed)' },
];

/** Product code. The story that `npm start` plays is none: it is a test for people to look at, with failures of its own. */
const isProduct = (path) =>
  /\.ts$/.test(path) &&
  !/\.test\.ts$|\.fixture\.ts$|\/fixtures\/|^packages\/testkit\/|^packages\/devnet\/|^packages\/cli\/src\/story\/|^packages\/protocol\/src\/errors(\/|\.ts$)/.test(
    path,
  );

/** Code → files in which it occurs, relative to `root`. */
export function findCodes(root) {
  const found = new Map();
  const add = (code, path) => {
    if (CODE.test(code)) found.set(code, (found.get(code) ?? new Set()).add(path));
  };
  for (const name of readdirSync(join(root, 'packages'), { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(name.parentPath, name.name));
    if (!name.isFile() || path.includes('node_modules') || !isProduct(path)) continue;
    const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.ESNext, true);
    visit(source, (code) => add(code, path));
  }
  for (const { code, file, text } of COMPUTED) {
    if (readFileSync(join(root, file), 'utf8').includes(text)) add(code, file);
  }
  return found;
}

function visit(node, add) {
  if (ts.isNewExpression(node) && node.expression.getText() === 'CodedError') {
    for (const code of literals(node.arguments?.[0])) add(code);
  } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const prefix = Object.hasOwn(CALLS, node.expression.text) ? CALLS[node.expression.text] : undefined;
    if (prefix !== undefined) for (const code of literals(node.arguments[0])) add(prefix + code);
  } else if (ts.isTypeAliasDeclaration(node) && CODE_UNION.test(node.name.text)) {
    for (const code of unionMembers(node.type)) add(code);
  } else if (ts.isPropertyAssignment(node) && node.name.getText() === 'code') {
    for (const code of literals(node.initializer)) add(code);
  } else if (ts.isPropertySignature(node) && node.name.getText() === 'code' && node.type) {
    for (const code of unionMembers(node.type)) add(code);
  }
  ts.forEachChild(node, (child) => visit(child, add));
}

/** The texts that an expression can be: a literal, or both sides of a condition. */
function literals(node) {
  if (!node) return [];
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)];
  if (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)) return literals(node.expression);
  return [];
}

function unionMembers(type) {
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(unionMembers);
  return ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : [];
}
