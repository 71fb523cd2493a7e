import { describe, expect, it } from 'vitest';
import { findBitcoind, startBitcoind } from '@keepwatch/devnet';
import { createScriptIndex } from './script-index.ts';

const found = await findBitcoind();

describe.skipIf('missing' in found)(
  `the index of scripts${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
  () => {
    it('holds one chain, also when that is reorganised while it is read', async () => {
      const node = await startBitcoind('bitcoind' in found ? found.bitcoind : undefined!);
      try {
        await node.mine(20);
        let asked = 0;
        const rpc = async <T>(method: string, ...params: unknown[]): Promise<T> => {
          // Block 14 is read; 13 and 14 are no longer of the chain when 15 is.
          if (method === 'getblock' && ++asked === 15) await node.reorg(8, 10);
          return node.rpc<T>(method, ...params);
        };
        const index = createScriptIndex({ ...node, rpc });
        await index.refresh();
        const actual: string[] = [];
        for (let at = 0; at <= 22; at++) actual.push(await node.rpc<string>('getblockhash', at));
        expect(index.blocks.map(({ hash }) => hash)).toEqual(actual);
      } finally {
        await node.stop();
      }
    });
  },
);
