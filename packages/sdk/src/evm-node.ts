import { CodedError, toHex } from '@keepwatch/base';
import { invalid, kindOf } from './known-members.ts';

/**
 * What a client of Keepwatch asks of an Ethereum node around a signature: the next nonce, the fees, the broadcast and
 * the receipt (execution-apis, JSON-RPC over HTTP). The vault itself never speaks to a node.
 */
export interface EvmNode {
  chainId(): Promise<number>;
  /** The account's next nonce, transactions that wait in the node's pool included. */
  nextNonce(address: string): Promise<number>;
  /** Fees per gas in wei that outlive six blocks of rising base fee: twice the base fee and the node's usual tip. */
  fees(): Promise<{ readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }>;
  /** Hands in a signed transaction and returns its hash. The same transaction a second time is no error. `params_invalid` for what is no bytes. */
  broadcast(raw: Uint8Array, hash: string): Promise<string>;
  /** Waits until the transaction is mined. `transaction_not_mined` when the time is over. */
  mined(hash: string, timeoutMs?: number): Promise<{ readonly block: number; readonly succeeded: boolean }>;
}

const POLL_MS = 250;
const REQUEST_TIMEOUT_MS = 15_000;

/** Every method can throw `node_unreachable` (no answer) and `node_refused` (an error answer, in `details`). */
export function createEvmNode(url: string): EvmNode {
  const call = async (method: string, params: readonly unknown[]): Promise<unknown> => {
    const answer = await post(url, method, params);
    if (answer.error === undefined) return answer.result;
    throw new CodedError('node_refused', `The node refused ${method}: ${answer.error.message}.`, {
      details: { method, code: answer.error.code },
    });
  };
  const receiptOf = async (hash: string) =>
    (await call('eth_getTransactionReceipt', [hash])) as { blockNumber: string; status: string } | null;

  return {
    chainId: async () => Number(quantity(await call('eth_chainId', []))),
    nextNonce: async (address) => Number(quantity(await call('eth_getTransactionCount', [address, 'pending']))),
    async fees() {
      const block = (await call('eth_getBlockByNumber', ['latest', false])) as { baseFeePerGas?: string };
      const maxPriorityFeePerGas = quantity(await call('eth_maxPriorityFeePerGas', []));
      return { maxPriorityFeePerGas, maxFeePerGas: 2n * quantity(block.baseFeePerGas) + maxPriorityFeePerGas };
    },
    async broadcast(raw, hash) {
      if (!(raw instanceof Uint8Array)) {
        throw invalid(
          'broadcast',
          `the transaction is ${kindOf(raw)}`,
          'Give its bytes, as signTransaction returns them.',
        );
      }
      try {
        return String(await call('eth_sendRawTransaction', [`0x${toHex(raw)}`]));
      } catch (error) {
        // Nodes word “already known” in many ways; asking for the transaction does not depend on words.
        if (error instanceof CodedError && error.code === 'node_refused') {
          if ((await call('eth_getTransactionByHash', [hash])) !== null) return hash;
        }
        throw error;
      }
    },
    async mined(hash, timeoutMs = 60_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const receipt = await receiptOf(hash);
        if (receipt) return { block: Number(quantity(receipt.blockNumber)), succeeded: receipt.status === '0x1' };
        if (Date.now() >= deadline) {
          throw new CodedError('transaction_not_mined', `The transaction ${hash} was not mined in time.`, {
            remedy: 'It may still be mined. Look it up on the chain before you ask for another.',
          });
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
  };
}

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

async function post(url: string, method: string, params: readonly unknown[]): Promise<RpcAnswer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return (await response.json()) as RpcAnswer;
  } catch (cause) {
    // The URL may carry an access key, so it is not repeated.
    throw new CodedError('node_unreachable', `The Ethereum node did not answer ${method}.`, {
      cause,
      remedy: 'Check the URL of the node and that it runs.',
    });
  }
}

/** A quantity of the JSON-RPC: `0x` and hex digits without leading zeros. */
function quantity(value: unknown): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/i.test(value)) {
    throw new CodedError('node_refused', 'The node answered something that is no number.', {
      remedy: 'Check that the URL is that of an Ethereum JSON-RPC node.',
    });
  }
  return BigInt(value);
}
