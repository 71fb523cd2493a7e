import { measureHeaderSync } from './header-sync.ts';

/** `node packages/testkit/src/sync/main.ts [COUNT]`: a header synchronisation of 900,000 blocks, killed half-way. */
const report = await measureHeaderSync(Number(process.argv[2] ?? 900_000));
console.log(JSON.stringify(report, null, 2));
