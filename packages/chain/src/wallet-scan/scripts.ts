import { toHex } from '@keepwatch/base';
import { deriveScripts, type Descriptor } from '@keepwatch/bitcoin';

/** Which script of which descriptor: its place in the list, its branch (BIP389) and its index, all from 0. */
export interface ScriptPlace {
  readonly descriptor: number;
  readonly branch: number;
  readonly index: number;
}

/** Scripts of descriptors as far as they are derived, each derived once. */
export interface WalletScripts {
  /** How many indices of each branch of each descriptor are derived. */
  counts(): readonly (readonly number[])[];
  /** Derives up to, and not including, this index. One that is not ranged has a single index. */
  deriveTo(place: Omit<ScriptPlace, 'index'>, count: number): void;
  find(script: Uint8Array): ScriptPlace | undefined;
  all(): readonly Uint8Array[];
}

export function createWalletScripts(descriptors: readonly Descriptor[]): WalletScripts {
  const counts = descriptors.map(({ branches }) => Array<number>(branches).fill(0));
  const places = new Map<string, ScriptPlace>();
  const scripts: Uint8Array[] = [];
  return {
    counts: () => counts.map((each) => [...each]),
    deriveTo({ descriptor: at, branch }, count) {
      const descriptor = descriptors[at]!;
      const from = counts[at]![branch]!;
      const to = descriptor.ranged ? count : 1;
      if (to <= from) return;
      for (const { index, script } of deriveScripts(descriptor, branch, from, to)) {
        const key = toHex(script);
        // Two descriptors may share a script: it belongs to the one that was named first.
        if (places.has(key)) continue;
        places.set(key, { descriptor: at, branch, index });
        scripts.push(script);
      }
      counts[at]![branch] = to;
    },
    find: (script) => places.get(toHex(script)),
    all: () => scripts,
  };
}
