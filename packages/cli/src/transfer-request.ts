import { CodedError, toHex } from '@keepwatch/base';
import { uuidV7 } from '@keepwatch/protocol';
import { addressBytes, type EtherTransfer, type EvmNode } from '@keepwatch/sdk';
import type { OptionSpecs, OptionValues } from './arguments.ts';
import { usageError } from './exit-codes.ts';
import { parseAmount, parseChain, parseCount } from './values.ts';

/** A transfer as it is asked for on the command line; what is left out, an Ethereum node is asked for. */
export const TRANSFER_OPTIONS = {
  wallet: { value: 'WALLET', words: 'from this wallet' },
  to: { value: 'ADDRESS', words: 'to this address' },
  value: { value: 'AMOUNT', words: 'so much, such as 0.5eth' },
  chain: { value: 'N', words: 'on this chain (default: the node’s)' },
  nonce: { value: 'N', words: 'nonce (default: the node’s next)' },
  'max-fee-per-gas': { value: 'AMOUNT', words: 'highest fee, such as 30gwei (default: by the node)' },
  'priority-fee': { value: 'AMOUNT', words: 'tip, such as 1gwei (default: by the node)' },
  gas: { value: 'N', words: 'gas limit (default: 21000)' },
  key: { value: 'UUID', words: 'idempotency key of an earlier request, to repeat that' },
  rpc: { value: 'URL', words: 'Ethereum node to ask for chain, nonce and fees' },
  broadcast: { value: 'URL', words: 'the same, and send the signed transaction to it' },
} as const satisfies OptionSpecs;

export interface TransferRequest {
  readonly wallet: string;
  readonly key: string | undefined;
  /** What was said of the transfer. */
  readonly transfer: Partial<EtherTransfer> & Pick<EtherTransfer, 'to' | 'value'>;
}

export function readTransferRequest(options: OptionValues<typeof TRANSFER_OPTIONS>): TransferRequest {
  const { key, chain, nonce, gas } = options;
  const to = addressBytes(needed(options.to, '--to'));
  if (!to) throw usageError('address', `--to: “${options.to}” is no address, or its checksum does not fit.`);
  if (key !== undefined && !uuidV7.safeParse(key).success)
    throw usageError('key', `--key: “${key}” is no UUID of version 7.`);
  const fee = (option: 'max-fee-per-gas' | 'priority-fee') =>
    options[option] === undefined ? undefined : parseAmount(options[option], `--${option}`);
  const maxFeePerGas = fee('max-fee-per-gas');
  const maxPriorityFeePerGas = fee('priority-fee');
  return {
    wallet: needed(options.wallet, '--wallet'),
    key,
    transfer: {
      to: `0x${toHex(to)}`,
      value: parseAmount(needed(options.value, '--value'), '--value'),
      ...(chain === undefined ? {} : { chainId: Number(parseChain(chain, '--chain').slice('eip155:'.length)) }),
      ...(nonce === undefined ? {} : { nonce: parseCount(nonce, '--nonce') }),
      ...(gas === undefined ? {} : { gasLimit: BigInt(parseCount(gas, '--gas')) }),
      ...(maxFeePerGas === undefined ? {} : { maxFeePerGas }),
      ...(maxPriorityFeePerGas === undefined ? {} : { maxPriorityFeePerGas }),
    },
  };
}

function needed(value: string | undefined, option: string): string {
  if (value !== undefined) return value;
  throw usageError('option_missing', `${option} is missing.`, 'See `keepwatch help client sign`.');
}

/** The whole transfer. Nothing is asked of the node that was said already. */
export async function completeTransfer(
  { transfer }: TransferRequest,
  from: string,
  node: EvmNode | undefined,
): Promise<EtherTransfer> {
  const ask = <T>(option: string, question: (node: EvmNode) => Promise<T>): Promise<T> => {
    if (node) return question(node);
    throw usageError('option_missing', `${option} is missing.`, 'Give it, or name an Ethereum node with --rpc URL.');
  };
  const chainId = transfer.chainId ?? (await ask('--chain', (each) => each.chainId()));
  const nonce = transfer.nonce ?? (await ask('--nonce', (each) => each.nextNonce(from)));
  const { maxFeePerGas, maxPriorityFeePerGas } = await completeFees(transfer, ask);
  return { ...transfer, chainId, nonce, maxFeePerGas, maxPriorityFeePerGas };
}

async function completeFees(
  { maxFeePerGas, maxPriorityFeePerGas }: TransferRequest['transfer'],
  ask: <T>(option: string, question: (node: EvmNode) => Promise<T>) => Promise<T>,
): Promise<Pick<EtherTransfer, 'maxFeePerGas' | 'maxPriorityFeePerGas'>> {
  if (maxFeePerGas !== undefined) {
    return { maxFeePerGas, maxPriorityFeePerGas: maxPriorityFeePerGas ?? smaller(maxFeePerGas, 1_000_000_000n) };
  }
  const usual = await ask('--max-fee-per-gas', (node) => node.fees());
  const tip = maxPriorityFeePerGas ?? usual.maxPriorityFeePerGas;
  if (tip <= usual.maxFeePerGas) return { maxFeePerGas: usual.maxFeePerGas, maxPriorityFeePerGas: tip };
  throw new CodedError('usage_priority_fee', '--priority-fee is above the fee that the node proposes.', {
    remedy: 'Give --max-fee-per-gas as well.',
  });
}

const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
