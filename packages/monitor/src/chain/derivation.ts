import { setImmediate as breathe } from 'node:timers/promises';
import { deriveScripts, parseDescriptor, type Descriptor, type Network } from '@keepwatch/bitcoin';
import { dueScripts } from '@keepwatch/watch';
import type { Engine } from '../engine/engine.ts';

/** Scripts that are derived before something else gets a turn: some 10 ms of work. */
const TURN = 16;
/** Indices in one entry of the journal. */
const PIECE = 1_000;

/**
 * Derives what the watch asks for, until it asks for nothing more. Scripts are derived once and journaled: a start reads
 * them. Blocks go on to be followed meanwhile.
 */
export function createDerivation(engine: Engine, signal: AbortSignal): { wake(): Promise<void> } {
  let running: Promise<void> | undefined;
  let again = false;

  async function run(): Promise<void> {
    do {
      again = false;
      for (const due of dueScripts(engine.state.watch)) {
        if (signal.aborted) return;
        const to = Math.min(due.to, due.from + PIECE);
        const derived = await deriveRange(due.text, engine.state.watch.settings.network, { ...due, to });
        const { wallet, descriptor, branch, from } = due;
        await engine.submit({
          room: 'watch',
          input: { kind: 'scripts', wallet, descriptor, branch, from, to, ...derived },
        });
        again = true;
      }
    } while (again && !signal.aborted);
  }

  return {
    wake() {
      again = true;
      running ??= run().finally(() => (running = undefined));
      return running;
    },
  };
}

async function deriveRange(
  text: string,
  network: Network,
  { branch, from, to }: { readonly branch: number; readonly from: number; readonly to: number },
): Promise<{ readonly lengths: readonly number[]; readonly bytes: Uint8Array }> {
  const descriptor = parsed(text, network);
  const scripts: Uint8Array[] = [];
  for (const { script } of deriveScripts(descriptor, branch, from, to)) {
    scripts.push(script);
    if (scripts.length % TURN === 0) await breathe();
  }
  const lengths = scripts.slice(0, scripts.length / (to - from)).map(({ length }) => length);
  return { lengths, bytes: new Uint8Array(Buffer.concat(scripts)) };
}

function parsed(text: string, network: Network): Descriptor {
  const read = parseDescriptor(text, network);
  if (!read.ok) throw new TypeError(`a descriptor that was taken is not one: ${read.error.code}`);
  return read.value;
}
