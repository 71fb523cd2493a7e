import { createInterface } from 'node:readline';
import { CodedError, toHex } from '@keepwatch/base';
import {
  connect,
  createClient,
  createEvmNode,
  createIdentity,
  denialOf,
  fileMemory,
  type Client,
  type EtherTransfer,
  type EvmNode,
  type IdentitySigner,
  type SignedTransaction,
} from '@keepwatch/sdk';
import type { Order, Payment, Report } from './messages.ts';

/**
 * The program that wants to pay: all that one has to write to use a vault. It has a key to speak with, and never sees
 * the one that its payments are signed with.
 *
 * Usage: main.ts CONNECTION DIRECTORY NODE_URL; orders on stdin, reports on stdout.
 */
const [connectionString = '', directory = '', nodeUrl = ''] = process.argv.slice(2);

interface Account {
  readonly wallet: string;
  readonly address: string;
}

async function main(): Promise<void> {
  const identity = await createIdentity(`${directory}/identity.json`);
  const node = createEvmNode(nodeUrl);
  let session: { readonly client: Client; readonly account: Account } | undefined;

  async function obey(order: Order): Promise<Report> {
    switch (order.type) {
      case 'register':
        return register(identity, order.name);
      case 'connect': {
        const client = createClient(await open(identity, 'session'));
        const [account] = await client.wallets();
        if (!account) throw new CodedError('no_wallet', 'No grant names a wallet for this client.');
        session = { client, account };
        return { type: 'connected', wallet: account.name, address: account.address };
      }
      case 'pay':
        if (!session) throw new CodedError('not_connected', 'There is no session yet.');
        return { type: 'paid', payment: await pay(session.client, session.account, node, order) };
    }
  }

  for await (const line of createInterface({ input: process.stdin })) {
    const report = await obey(JSON.parse(line) as Order).catch(refusal);
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
}

const open = (identity: IdentitySigner, wish: 'register' | 'session') =>
  connect({ connectionString, identity, role: 'client', wish, memory: fileMemory(`${directory}/memory.json`) });

async function register(identity: IdentitySigner, name: string): Promise<Report> {
  const connection = await open(identity, 'register');
  const { peer } = await createClient(connection).register(name);
  await connection.close();
  return { type: 'registered', peer };
}

async function pay(
  client: Client,
  account: Account,
  node: EvmNode,
  order: Extract<Order, { type: 'pay' }>,
): Promise<Payment> {
  const { again } = order;
  const fees = await node.fees();
  const transaction: EtherTransfer = {
    chainId: order.chainId ?? (await node.chainId()),
    nonce: again?.nonce ?? (await node.nextNonce(account.address)),
    to: order.to,
    value: BigInt(order.value),
    maxFeePerGas: again ? BigInt(again.maxFeePerGas) : fees.maxFeePerGas,
    maxPriorityFeePerGas: 1n,
  };
  const signed = await client.signTransaction({
    wallet: account.wallet,
    transaction,
    ...(order.chain === undefined ? {} : { chain: order.chain }),
    ...(again ? { key: again.key } : {}),
  });
  if (again) return paymentOf(signed, transaction, null);
  await node.broadcast(signed.raw, signed.hash);
  const { block, succeeded } = await node.mined(signed.hash);
  if (!succeeded) throw new CodedError('transfer_failed', 'The transaction was mined, but it failed.');
  return paymentOf(signed, transaction, block);
}

function paymentOf(signed: SignedTransaction, transaction: EtherTransfer, block: number | null): Payment {
  const { decision, receipt } = signed;
  const volume = decision.budgets.find(({ rule }) => rule === 'volume');
  if (!volume) throw new CodedError('no_volume', 'The decision names no limit of volume.');
  return {
    hash: signed.hash,
    raw: `0x${toHex(signed.raw)}`,
    key: signed.key,
    nonce: transaction.nonce,
    maxFeePerGas: transaction.maxFeePerGas.toString(),
    grant: decision.grant,
    limit: volume.limit,
    left: (BigInt(volume.limit) - BigInt(volume.spentAfter)).toString(),
    receipt: receipt.json,
    seq: receipt.seq,
    block,
  };
}

function refusal(error: unknown): Report {
  if (!(error instanceof CodedError)) throw error;
  const { code, message } = error;
  return { type: 'refused', code, message, sentences: denialOf(error)?.sentences ?? [] };
}

await main();
