// The arrows of the house. Each rule says why it stands; `npm run check` enforces them.
const pkg = (...names) => `^packages/(${names.join('|')})/`;
const only = (from, allowed, comment) => ({
  name: `${from}-reach`,
  comment,
  severity: 'error',
  from: { path: pkg(from), pathNot: '\\.(test|fixture)\\.ts$' },
  to: { path: '^packages/', pathNot: pkg(from, ...allowed) },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A circle of modules cannot be read or tested apart.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'pure-has-no-node',
      comment:
        'Pure packages run anywhere and decide nothing by I/O, clock or chance: hashing and randomness are injected.',
      severity: 'error',
      from: {
        path: pkg('base', 'protocol', 'wire', 'evm', 'bitcoin', 'permission', 'watch'),
        pathNot: '\\.(test|fixture)\\.ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    only('base', [], 'base is the ground floor.'),
    only('protocol', ['base'], 'The contract knows nothing of who fulfils it.'),
    only('evm', ['base'], 'Bytes to intents; nothing of the vault.'),
    only('bitcoin', ['base'], 'Bytes of the protocol; nothing of nodes, wallets or the vault.'),
    only(
      'chain',
      ['base', 'protocol', 'bitcoin', 'evm'],
      'Sources say what they see; what it means is the watch’s business.',
    ),
    only('permission', ['base'], 'The engine is chain-independent: intents come to it as values.'),
    only('watch', ['base', 'protocol', 'bitcoin', 'evm'], 'What a story means does not depend on who tells it.'),
    only('notify', ['base', 'protocol', 'watch'], 'Channels carry words; they know no chain, no vault and no journal.'),
    only(
      'monitor',
      ['base', 'protocol', 'bitcoin', 'evm', 'chain', 'watch', 'notify', 'journal', 'wire', 'sdk', 'gate'],
      'The monitor reaches the vault as a client like any other; of the edge it uses the listener.',
    ),
    only('wire', ['base', 'protocol'], 'Both ends of a connection share this and nothing above it.'),
    only('journal', ['base', 'wire'], 'The journal stores bytes; what they mean is its user’s business.'),
    only(
      'keep',
      ['base', 'protocol', 'wire', 'evm', 'permission', 'journal'],
      'The trusted core imports no transport and no edge.',
    ),
    only('gate', ['base', 'protocol'], 'The edge cannot open a frame, so it must not hold the code that does.'),
    only('sdk', ['base', 'protocol', 'wire'], 'A client library that anyone can run.'),
    only(
      'cli',
      ['base', 'protocol', 'sdk', 'gate', 'bitcoin', 'chain', 'monitor', 'notify', 'watch', 'devnet'],
      'The command is a client like any other; it starts the daemon by its entry file alone.',
    ),
    only('devnet', ['base', 'bitcoin'], 'Nodes and receivers to play with know nothing of who plays with them.'),
    {
      name: 'devnet-is-for-play',
      comment:
        'A node that mines when told, and receivers that trust everybody: the story and tests start them, nobody else.',
      severity: 'error',
      from: {
        path: '^packages/',
        pathNot: ['\\.(test|fixture)\\.ts$', pkg('devnet', 'testkit'), '^packages/cli/src/story/'],
      },
      to: { path: pkg('devnet') },
    },
    {
      name: 'keep-has-no-transport',
      comment: 'Keep has one inherited socket. It opens no connection, starts no process, and parses no HTTP.',
      severity: 'error',
      from: { path: pkg('keep'), pathNot: '\\.(test|fixture)\\.ts$' },
      to: { path: '^(node:)?(http|https|http2|tls|dgram|dns|child_process|cluster|inspector)$|^ws$' },
    },
    {
      name: 'key-room-has-one-door',
      comment: 'What opens locked memory stays inside the room; others hold handles and call what its index gives.',
      severity: 'error',
      from: { path: pkg('keep'), pathNot: ['\\.(test|fixture)\\.ts$', '^packages/keep/src/secure/'] },
      to: { path: '^packages/keep/src/secure/', pathNot: '^packages/keep/src/secure/index\\.ts$' },
    },
    {
      name: 'testkit-is-for-tests',
      comment: 'Product code that imports test code ships it.',
      severity: 'error',
      from: { path: '^packages/', pathNot: ['\\.(test|fixture)\\.ts$', pkg('testkit')] },
      to: { path: pkg('testkit') },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'Every import resolves on a fresh clone.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '/node_modules/(?!@keepwatch)'] },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
