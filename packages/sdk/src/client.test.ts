import { CodedError, fromHex, toBase64url, toHex, type Json } from '@keepwatch/base';
import type { ReceiptJson } from '@keepwatch/protocol';
import { keccak256, parseTransaction, serializeSignature } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { createClient, denialOf } from './client.ts';
import { createAnsweringVault, type AnsweringVault } from './fixtures/answering-vault.ts';
import { encodeTransfer, type EtherTransfer } from './transaction.ts';

const account = privateKeyToAccount('0x4646464646464646464646464646464646464646464646464646464646464646');
const stranger = privateKeyToAccount('0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63');
const WALLET = 'A'.repeat(22);
const HASH = 'A'.repeat(43);
const TRANSFER: EtherTransfer = {
  chainId: 31337,
  nonce: 7,
  to: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8',
  value: 500_000_000_000_000_000n,
  maxFeePerGas: 20_000_000_000n,
  maxPriorityFeePerGas: 1_000_000_000n,
};
const KEY = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';
const DIGEST = toBase64url(fromHex(keccak256(encodeTransfer(TRANSFER)))!);

const entry = (changes: Record<string, Json> = {}): Json => ({
  type: 'request.permitted',
  at: 1,
  salt: 'x',
  client: WALLET,
  wallet: WALLET,
  chain: 'eip155:31337',
  request: HASH,
  digest: DIGEST,
  form: 'transaction',
  nonce: 7,
  grant: 'g1',
  asks: 'Client bot wants to transfer 0.5 ETH',
  payload: null,
  budgets: [],
  ...changes,
});

interface Lies {
  readonly signer?: PrivateKeyAccount;
  readonly transfer?: Partial<EtherTransfer>;
  readonly receipt?: (vault: AnsweringVault) => ReceiptJson;
}

/** A vault that signs what it is asked for, except where it lies. */
function createVault(lies: Lies = {}): AnsweringVault {
  const vault: AnsweringVault = createAnsweringVault({
    'wallet.list': () => ({ wallets: [{ wallet: WALLET, name: 'main', address: account.address }], next: null }),
    'transaction.sign': async () => {
      const { to, ...fields } = { ...TRANSFER, ...lies.transfer };
      const signed = await (lies.signer ?? account).signTransaction({
        type: 'eip1559',
        gas: 21_000n,
        to: to as `0x${string}`,
        ...fields,
      });
      const { r, s, yParity } = parseTransaction(signed);
      const signature = serializeSignature({ r: r!, s: s!, yParity: yParity! });
      return { signature, receipt: lies.receipt?.(vault) ?? vault.receipt(entry()) };
    },
  });
  return vault;
}

const sign = (
  vault: AnsweringVault,
  request: Partial<Parameters<ReturnType<typeof createClient>['signTransaction']>[0]> = {},
) => createClient(vault.connection).signTransaction({ wallet: WALLET, transaction: TRANSFER, ...request });

describe('signTransaction', () => {
  it('returns what is to be broadcast, with the decision and its proof', async () => {
    const vault = createVault();
    const signed = await sign(vault, { key: KEY });
    expect(signed.decision).toMatchObject({ grant: 'g1', asks: 'Client bot wants to transfer 0.5 ETH' });
    expect(signed.receipt.json).toEqual(vault.receipt(entry()));
    expect(signed.key).toBe(KEY);
    const { to, ...fields } = TRANSFER;
    const wanted = { type: 'eip1559', gas: 21_000n, to: to as `0x${string}`, ...fields } as const;
    expect(`0x${toHex(signed.raw)}`).toBe(await account.signTransaction(wanted));
    expect(keccak256(signed.raw)).toBe(signed.hash);
  });

  it('asks for the very bytes of the transfer, void five minutes after the time in the key', async () => {
    const vault = createVault();
    await sign(vault, { key: KEY });
    expect(vault.calls[0]).toEqual({
      method: 'transaction.sign',
      params: {
        wallet: WALLET,
        chain: 'eip155:31337',
        transaction: `0x${toHex(encodeTransfer(TRANSFER))}`,
        key: KEY,
        expires: 0x017f22e279b0 + 5 * 60_000,
      },
    });
  });

  it('sends the same body when it repeats a request, and a new key for a new one', async () => {
    const vault = createVault();
    await sign(vault, { key: KEY });
    await sign(vault, { key: KEY });
    await sign(vault);
    const [first, second, third] = vault.calls.filter(({ method }) => method === 'transaction.sign');
    expect(second).toEqual(first);
    expect(third!.params['key']).not.toBe(KEY);
  });

  it.each<[string, Lies, string]>([
    ['another amount', { transfer: { value: TRANSFER.value + 1n } }, 'signed_transaction_differs'],
    ['another recipient', { transfer: { to: stranger.address } }, 'signed_transaction_differs'],
    ['another nonce', { transfer: { nonce: 8 } }, 'signed_transaction_differs'],
    ['another chain', { transfer: { chainId: 1 } }, 'signed_transaction_differs'],
    ['the signature of another key', { signer: stranger }, 'signed_transaction_differs'],
    [
      'a receipt for other bytes',
      { receipt: (vault) => vault.receipt(entry({ digest: HASH })) },
      'receipt_other_request',
    ],
    [
      'a receipt for another wallet',
      { receipt: (vault) => vault.receipt(entry({ wallet: 'B'.repeat(22) })) },
      'receipt_other_request',
    ],
    [
      'a receipt for another chain',
      { receipt: (vault) => vault.receipt(entry({ chain: 'eip155:1' })) },
      'receipt_other_request',
    ],
    [
      'the receipt of a denial',
      { receipt: (vault) => vault.receipt(entry({ type: 'request.denied' })) },
      'receipt_other_request',
    ],
    ['a receipt that was changed', { receipt: (vault) => changed(vault.receipt(entry())) }, 'receipt_path_mismatch'],
  ])('believes no answer with %s', async (_, lies, code) => {
    await expect(sign(createVault(lies))).rejects.toMatchObject({ code });
  });

  it('needs a wallet that it knows, and a chain where the transaction is bytes', async () => {
    await expect(sign(createVault(), { wallet: 'B'.repeat(22) })).rejects.toMatchObject({ code: 'wallet_unknown' });
    const bytes = encodeTransfer(TRANSFER);
    await expect(sign(createVault(), { transaction: bytes })).rejects.toMatchObject({ code: 'params_invalid' });
    await expect(sign(createVault(), { transaction: bytes, chain: 'eip155:31337' })).resolves.toBeDefined();
  });
});

describe('what no method reads', () => {
  const common = { wallet: WALLET, chain: 'eip155:31337' };
  const client = (vault: AnsweringVault) => createClient(vault.connection) as unknown as Record<string, Method>;
  type Method = (request: unknown) => Promise<unknown>;
  const text = { ...common, message: 'hello' };
  const data = { ...common, typedData: '{}', digest: `0x${'00'.repeat(32)}` };
  const authorization = { ...common, authorization: Uint8Array.of(5, 0xc0) };

  it.each([
    ['signTransaction', { wallet: WALLET, transaction: { ...TRANSFER, data: '0xa9059cbb00', gas: 60_000n } }, '“data”'],
    ['signTransaction', { wallet: WALLET, transaction: TRANSFER, data: '0xa9059cbb00' }, '“data”'],
    ['signTransaction', { wallet: WALLET, transaction: TRANSFER, idempotencyKey: KEY }, '“idempotencyKey”'],
    ['signTransaction', { wallet: WALLET, transaction: '0x02f8', chain: 'eip155:1' }, 'a string'],
    ['signTransaction', undefined, 'object'],
    ['signTypedData', { ...data, domain: {} }, '“domain”'],
    ['signTypedData', { ...data, typedData: {} }, 'an object'],
    ['signTypedData', { ...data, digest: '0x00' }, '32 bytes'],
    ['signTypedData', { ...data, digest: undefined }, '32 bytes'],
    ['signMessage', { ...text, account: '0x' }, '“account”'],
    ['signMessage', { ...text, message: { raw: '0x00' } }, 'an object'],
    ['signAuthorization', { ...authorization, nonce: 1 }, '“nonce”'],
    ['signAuthorization', { ...common, authorization: '0x05c0' }, 'a string'],
  ])('%s refuses it, and asks for nothing', async (method, request, what) => {
    const vault = createVault();
    const fault: CodedError = await client(vault)[method]!(request).then(
      () => new CodedError('none', 'It was taken.'),
      (error: CodedError) => error,
    );
    expect(fault.code).toMatch(/^(transfer|params)_invalid$/);
    expect(fault.message).toContain(what);
    expect(fault.remedy).toBeDefined();
    expect(vault.calls).toEqual([]);
  });
});

function changed(receipt: ReceiptJson): ReceiptJson {
  return { ...receipt, entry: receipt.entry.replace('0.5 ETH', '0.9 ETH') };
}

describe('a denial', () => {
  const denying = (receipt: (vault: AnsweringVault) => ReceiptJson | null) => {
    const vault: AnsweringVault = createAnsweringVault({
      'transaction.sign': () => {
        const sentences = ['grant g1 lets at most 2 ETH a day leave'];
        const details = { reasons: [{ code: 'volume_exceeded' }], sentences, receipt: receipt(vault) };
        throw new CodedError('denied', 'Denied.', { details });
      },
    });
    return vault;
  };

  it('comes as an error that names reasons, words and proof', async () => {
    const vault = denying((each) => each.receipt(entry({ type: 'request.denied' })));
    const error: unknown = await sign(vault).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'denied' });
    expect(denialOf(error)).toMatchObject({
      reasons: [{ code: 'volume_exceeded' }],
      sentences: ['grant g1 lets at most 2 ETH a day leave'],
    });
    await expect(sign(denying(() => null))).rejects.toMatchObject({ code: 'denied' });
  });

  it('with a receipt that does not hold is not believed', async () => {
    const vault = denying((each) => changed(each.receipt(entry({ type: 'request.denied' }))));
    await expect(sign(vault)).rejects.toMatchObject({ code: 'receipt_path_mismatch' });
  });

  it('is nothing that another error carries', () => {
    expect(denialOf(new CodedError('vault_sealed', 'Sealed.'))).toBeUndefined();
    expect(denialOf(new Error('denied'))).toBeUndefined();
  });
});
