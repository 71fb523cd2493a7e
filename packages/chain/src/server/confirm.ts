import { fromHex } from '@keepwatch/base';
import {
  decodeHeader,
  headerHash,
  layoutTransaction,
  provesInclusion,
  toDisplay,
  toInternal,
  txidAt,
  type BlockHash,
  type InclusionProof,
  type InternalHash,
  type Layout,
  type Txid,
} from '@keepwatch/bitcoin';
import { malformed, ServerFault, type ServerSession } from './backend.ts';

/** A transaction whose bytes have the id that was asked for. */
export async function fetchTransaction(session: ServerSession, txid: Txid): Promise<Layout | undefined> {
  const raw = await session.transaction(txid);
  if (!raw) return undefined;
  const read = layoutTransaction(raw);
  if (!read.ok || toDisplay<Txid>(txidAt(read.value, 0)) !== txid) {
    throw new ServerFault(
      'lied',
      'server_wrong_transaction',
      'The server sent another transaction than was asked for.',
    );
  }
  return read.value;
}

/** The merkle root of a block of our own header chain, from the header that the server keeps of it. */
export async function fetchMerkleRoot(session: ServerSession, height: number, hash: BlockHash): Promise<InternalHash> {
  const bytes = (await session.headers(height, 1)).subarray(0, 80);
  const header = decodeHeader(bytes);
  if (!header) malformed('a header');
  if (toDisplay<BlockHash>(headerHash(bytes)) !== hash) {
    // It may have reorganised between two questions: then the next round finds its new chain.
    throw new ServerFault('transient', 'server_moved_on', 'The server changed its chain while it was being asked.');
  }
  return header.merkleRoot;
}

/** Proves that a transaction is in a block, and gives its place there. Throws where it cannot be proved. */
export async function proveConfirmed(
  session: ServerSession,
  layout: Layout,
  txid: Txid,
  block: { readonly height: number; readonly hash: BlockHash; readonly root: InternalHash },
): Promise<number> {
  const proof = await session.merkleProof(txid, block.height);
  const first = await session.coinbase(block.height, block.hash);
  const coinbase = await fetchTransaction(session, first.txid);
  const inclusion: InclusionProof | undefined = coinbase && {
    transaction: layout,
    branch: branchOf(proof.branch),
    position: proof.position,
    coinbase: { transaction: coinbase, branch: branchOf(first.branch) },
  };
  if (!inclusion || !provesInclusion(inclusion, block.root)) {
    throw new ServerFault(
      'lied',
      'server_false_proof',
      `The server says that ${txid} is in block ${block.height}, and its proof does not hold.`,
    );
  }
  return proof.position;
}

function branchOf(hashes: readonly string[]): InternalHash[] {
  if (hashes.length > 32) malformed('a merkle branch');
  return hashes.map((hash) => toInternal(hash) ?? malformed('a hash'));
}

export function bytesOf(hex: string): Uint8Array {
  return fromHex(hex) ?? malformed('hex');
}
