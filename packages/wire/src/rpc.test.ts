import { utf8 } from '@keepwatch/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeRpc, encodeRpc, joinRpc, MAX_BATCH, rpcText, type RpcMessage } from './rpc.ts';

const decode = (text: string) => decodeRpc(utf8(text));
const malformed = { ok: false, error: 'message_malformed' };
const error = { code: -32000, message: 'No.', data: { code: 'denied', remedy: 'Ask.', details: { left: '0' } } };

const messages: RpcMessage[] = [
  { kind: 'request', id: 1, method: 'transaction.sign', params: { wallet: 'w', expires: 1 } },
  { kind: 'request', id: 'a', method: 'vault.status', params: {} },
  { kind: 'notification', method: 'receipt', params: { seq: 1 } },
  { kind: 'result', id: 1, result: null },
  { kind: 'result', id: 'x', result: [1, { a: true }] },
  { kind: 'error', id: 1, error },
  { kind: 'error', id: null, error: { ...error, data: { code: 'denied' } } },
];

describe('JSON-RPC', () => {
  it.each(messages)('carries %j', (message) => {
    expect(decodeRpc(encodeRpc(message))).toEqual({ ok: true, value: [message] });
  });

  it('carries several in one frame, in their order', () => {
    expect(decodeRpc(joinRpc(messages.map(rpcText)))).toEqual({ ok: true, value: messages });
    const most = Array<string>(MAX_BATCH).fill(rpcText(messages[0]!));
    expect(decodeRpc(joinRpc(most)).ok).toBe(true);
    expect(decode(`[${[...most, most[0]].join()}]`)).toEqual(malformed);
    expect(() => joinRpc([...most, most[0]!])).toThrow(RangeError);
    expect(() => joinRpc([])).toThrow(RangeError);
  });

  it.each([
    '[]',
    '[[{"jsonrpc":"2.0","method":"a","params":{}}]]',
    '[{"jsonrpc":"2.0","method":"a","params":{}},null]',
    '[{"jsonrpc":"2.0","method":"a","params":{}},{"jsonrpc":"2.0","method":"a"}]',
    'null',
    '{"method":"a","params":{}}',
    '{"jsonrpc":2.0,"method":"a","params":{}}',
    '{"jsonrpc":"1.0","method":"a","params":{}}',
    '{"jsonrpc":"2.0","method":"a"}',
    '{"jsonrpc":"2.0","method":"a","params":[]}',
    '{"jsonrpc":"2.0","method":"a","params":null}',
    '{"jsonrpc":"2.0","method":1,"params":{}}',
    '{"jsonrpc":"2.0","method":"","params":{}}',
    '{"jsonrpc":"2.0","method":"rpc call","params":{}}',
    '{"jsonrpc":"2.0","method":"a","params":{},"id":null}',
    '{"jsonrpc":"2.0","method":"a","params":{},"id":1.5}',
    '{"jsonrpc":"2.0","method":"a","params":{},"id":""}',
    '{"jsonrpc":"2.0","method":"a","params":{},"id":{}}',
    `{"jsonrpc":"2.0","method":"a","params":{},"id":"${'x'.repeat(65)}"}`,
    '{"jsonrpc":"2.0","method":"a","params":{},"id":1,"extra":1}',
    '{"jsonrpc":"2.0","method":"a","params":{"__proto__":{}}}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","result":1}',
    '{"jsonrpc":"2.0","id":null,"result":1}',
    '{"jsonrpc":"2.0","id":1,"result":1,"error":{}}',
    '{"jsonrpc":"2.0","id":1,"error":{}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"x"}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x","data":{"code":"a"}}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","data":{"code":"Not stable"}}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","data":{"code":"a","extra":1}}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","data":{"code":"a","details":[]}}}',
    '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x","data":{"code":"a","remedy":null}}}',
  ])('refuses %s', (text) => {
    expect(decode(text)).toEqual(malformed);
  });

  it('survives any mutation of a message without throwing, and reads back what it took', () => {
    const texts = messages.map(rpcText);
    const seeds = [...texts.map((text) => [text]), texts].map((together) => Buffer.from(joinRpc(together)));
    const mutation = fc.record({ at: fc.nat(), remove: fc.nat({ max: 6 }), insert: fc.string({ maxLength: 6 }) });
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }), (seed, mutations) => {
        let bytes = seed;
        for (const { at, remove, insert } of mutations) {
          const start = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(insert), bytes.subarray(start + remove)]);
        }
        const decoded = decodeRpc(bytes);
        if (!decoded.ok) return;
        taken += 1;
        expect(decodeRpc(joinRpc(decoded.value.map(rpcText)))).toEqual(decoded);
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});
