import { filterOfRealBlock } from '../bench/sync.ts';
import { measureHeaderSync } from './header-sync.ts';
import { measureLightMemory } from './light-memory.ts';

/**
 * `node packages/testkit/src/sync/main.ts [COUNT]`: a header synchronisation of 900,000 blocks that is killed half-way;
 * then what a light client with 10,000 scripts takes over as many blocks (docs/hardware.md).
 */
const count = Number(process.argv[2] ?? 900_000);
console.log(JSON.stringify(await measureHeaderSync(count), null, 2));
console.log(JSON.stringify(await measureLightMemory(count, 10_000, 2_000, filterOfRealBlock()), null, 2));
