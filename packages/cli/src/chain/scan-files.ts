import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Descriptor } from '@keepwatch/bitcoin';
import { decodeWalletScan, encodeWalletScan, type WalletScanState } from '@keepwatch/chain';

/** What is kept of scans, so that they go on after a kill: a file for each source, wallet and beginning. */
export interface ScanFile {
  readonly path: string;
  /** `undefined` where there is none, or none that can be read: then it begins anew, which costs time and nothing else. */
  read(): WalletScanState | undefined;
  write(state: WalletScanState): void;
}

/** `from`: as it was typed. `data`: of the network. */
export function openScanFile(
  data: string,
  source: string,
  descriptors: readonly Descriptor[],
  gapLimit: number,
  from: string,
): ScanFile {
  const directory = join(data, 'scans');
  const wallet = descriptors.map(({ text, checksum }) => `${text}#${checksum}`);
  const name = createHash('sha256')
    .update(JSON.stringify([source, wallet, gapLimit, from]))
    .digest('hex')
    .slice(0, 24);
  const path = join(directory, `${name}.json`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    path,
    read() {
      if (!existsSync(path)) return undefined;
      const read = decodeWalletScan(
        readFileSync(path, 'utf8'),
        descriptors.map(({ branches }) => branches),
      );
      return read.ok ? read.value : undefined;
    },
    write(state) {
      writeFileSync(`${path}.new`, encodeWalletScan(state), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}
