import { createInterface } from 'node:readline';
import { CodedError } from '@keepwatch/base';
import { startDevnet, type Devnet } from './node/devnet.ts';
import type { Answer, Order } from './orders.ts';

/**
 * The devnet as a process: orders as JSON lines on stdin, one answer a line on stdout. It ends with its input. Loopback
 * alone, and nothing on disk.
 */
function obey(devnet: Devnet, order: Order): Answer {
  switch (order.type) {
    case 'receive':
      return { txid: devnet.receive(BigInt(order.sats)) };
    case 'spend':
      return { txid: devnet.spend(BigInt(order.sats), BigInt(order.feerate)) };
    case 'replace':
      return { txid: devnet.replace(order.txid, BigInt(order.feerate)) };
    case 'mine':
      return devnet.mine(order.count);
    case 'reorg':
      return devnet.reorg(order.depth);
    case 'tip':
      return devnet.tip();
  }
}

const devnet = await startDevnet();
const say = (value: object) => void process.stdout.write(`${JSON.stringify(value)}\n`);
say({ p2pPort: devnet.p2pPort, descriptor: devnet.descriptor });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(obey(devnet, JSON.parse(line) as Order));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    say({ error: { code: error.code, message: error.message } });
  }
}
await devnet.stop();
