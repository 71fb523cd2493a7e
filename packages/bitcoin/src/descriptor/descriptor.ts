import type { Network } from '../network.ts';
import type { KeyExpression } from './key.ts';
import type { ScriptTemplate } from './template.ts';

/**
 * An output descriptor (BIP380 to BIP389) as plain data: what scripts a wallet has. It holds public keys only.
 */
export interface Descriptor {
  /** As it was given, without the checksum, hardened steps with `h`. */
  readonly text: string;
  /** The checksum of `text`. The two together, `text#checksum`, name a descriptor. */
  readonly checksum: string;
  readonly network: Network;
  /** Whether it has a script for each index (a final `/*`), or one in all. */
  readonly ranged: boolean;
  /** How many values its tuples have (BIP389): 2 for `<0;1>`, 1 without a tuple. */
  readonly branches: number;
  readonly script: ScriptExpression;
}

export type ScriptExpression =
  | { readonly kind: 'pk' | 'pkh' | 'wpkh' | 'combo' | 'rawtr'; readonly key: KeyExpression }
  | {
      readonly kind: 'multi' | 'multi_a';
      readonly sorted: boolean;
      readonly threshold: number;
      readonly keys: readonly KeyExpression[];
    }
  | { readonly kind: 'sh' | 'wsh'; readonly inner: ScriptExpression }
  | { readonly kind: 'tr'; readonly internal: KeyExpression; readonly tree: TapTree | null }
  | { readonly kind: 'miniscript'; readonly template: ScriptTemplate; readonly keys: readonly KeyExpression[] }
  /** `addr` and `raw`: the script itself. */
  | { readonly kind: 'fixed'; readonly script: Uint8Array };

export type TapTree =
  | { readonly kind: 'leaf'; readonly script: ScriptExpression }
  | { readonly kind: 'branch'; readonly left: TapTree; readonly right: TapTree };

/** Every key of a script expression, in order of appearance. */
export function keysOf(script: ScriptExpression): readonly KeyExpression[] {
  switch (script.kind) {
    case 'pk':
    case 'pkh':
    case 'wpkh':
    case 'combo':
    case 'rawtr':
      return [script.key];
    case 'multi':
    case 'multi_a':
    case 'miniscript':
      return script.keys;
    case 'sh':
    case 'wsh':
      return keysOf(script.inner);
    case 'tr':
      return [script.internal, ...(script.tree ? keysOfTree(script.tree) : [])];
    case 'fixed':
      return [];
  }
}

function keysOfTree(tree: TapTree): readonly KeyExpression[] {
  return tree.kind === 'leaf' ? keysOf(tree.script) : [...keysOfTree(tree.left), ...keysOfTree(tree.right)];
}
