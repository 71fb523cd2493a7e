import { concat, type Hex, type SignedAuthorization } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { startAnvil, type Anvil } from '../../../cli/src/story/anvil.ts';
import { compileContracts, type Compiled } from './compile.ts';

/** What became of a transaction. */
export interface Mined {
  readonly status: '0x0' | '0x1';
  /** In wei. */
  readonly fee: bigint;
  /** What its blobs took (EIP-4844). */
  readonly blobGas: bigint;
  /** The contract that it made. */
  readonly created: Hex;
}

/** A chain of its own with contracts at hand. Chain id 31337. */
export interface Devnet {
  readonly anvil: Anvil;
  readonly contracts: Readonly<Record<string, Compiled>>;
  /** What the compiler wrote, as an operator brings it. */
  readonly output: string;
  /** From an account whose key anvil holds. `to` null makes a contract. */
  send(from: Hex, to: Hex | null, data: Hex, value?: bigint): Promise<Mined>;
  /** A signed transaction. Throws where anvil does not take it. */
  broadcast(raw: Hex): Promise<Mined>;
  /** Brings an authorisation (EIP-7702) to the chain, in a transaction of somebody's that does nothing else. */
  delegate(sender: PrivateKeyAccount, authorization: SignedAuthorization): Promise<Mined>;
  /** The next one of an account. */
  nonce(account: Hex): Promise<number>;
  /** The address of a new contract. `args`: what its constructor gets, ABI-encoded. */
  create(from: Hex, name: string, args?: Hex): Promise<Hex>;
  /** What a call would return, as a number. */
  read(to: Hex, data: Hex): Promise<bigint>;
  /** In wei. */
  balance(account: Hex): Promise<bigint>;
  stop(): Promise<unknown>;
}

/** `file`: the Solidity beside this module that its contracts are of. */
export async function startDevnet(file = 'contracts.sol'): Promise<Devnet> {
  const { contracts, output } = compileContracts(file);
  const anvil = await startAnvil(process.env);

  async function mined(hash: unknown): Promise<Mined> {
    // Anvil answers before the block is made: it is asked until there is one.
    let receipt: Record<string, string> | null = null;
    while (receipt === null) {
      receipt = (await anvil.call('eth_getTransactionReceipt', [hash])) as Record<string, string> | null;
    }
    const fee = BigInt(receipt['gasUsed']!) * BigInt(receipt['effectiveGasPrice']!);
    const blobGas = BigInt(receipt['blobGasUsed'] ?? 0);
    return { status: receipt['status'] as Mined['status'], fee, blobGas, created: receipt['contractAddress'] as Hex };
  }

  async function send(from: Hex, to: Hex | null, data: Hex, value = 0n): Promise<Mined> {
    const params = { from, data, value: `0x${value.toString(16)}`, gas: '0x2dc6c0', ...(to === null ? {} : { to }) };
    return mined(await anvil.call('eth_sendTransaction', [params]));
  }

  const broadcast = async (raw: Hex) => mined(await anvil.call('eth_sendRawTransaction', [raw]));
  const nonce = async (account: Hex) => Number(await anvil.call('eth_getTransactionCount', [account, 'latest']));

  return {
    anvil,
    contracts,
    output,
    send,
    broadcast,
    nonce,
    async delegate(sender, authorization) {
      const { address: to } = sender;
      const raw = await sender.signTransaction({
        ...{ type: 'eip7702', chainId: 31_337, nonce: await nonce(to), gas: 200_000n, to, value: 0n },
        ...{ maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 1n, authorizationList: [authorization] },
      });
      return broadcast(raw);
    },
    async create(from, name, args) {
      const code = contracts[name]!.bytecode;
      return (await send(from, null, args === undefined ? code : concat([code, args]))).created;
    },
    read: async (to, data) => BigInt((await anvil.call('eth_call', [{ to, data }, 'latest'])) as Hex),
    balance: async (account) => BigInt((await anvil.call('eth_getBalance', [account, 'latest'])) as Hex),
    stop: () => anvil.process.stop(),
  };
}
