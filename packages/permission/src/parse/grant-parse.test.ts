import { describe, expect, it } from 'vitest';
import { toJson } from '../json.ts';
import { parseGrant } from './grant-parse.ts';

const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const TOKEN = 'erc20:0xdac17f958d2ee523a2206206994597c13d831ec7';
const VOLUME = { type: 'volume', asset: 'native', limit: '2000000000000000000', window: { seconds: 86_400 } };
const COUNT = { type: 'count', limit: 10, window: { seconds: 3600 } };
const MAX_FEE = { type: 'max-fee', limit: '1000000000000000' };
const JSON_GRANT = {
  ...{ id: 'g1', createdSeq: 12, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'ether-transfer' },
  ...{ recipients: [ADDRESS], constraints: [VOLUME, COUNT, MAX_FEE], label: 'Payroll März' },
};
const TOKENS = {
  ...{ ...JSON_GRANT, kind: 'token-transfer', assets: [{ asset: TOKEN }], routes: ['transfer'], spenders: [] },
  constraints: [{ ...VOLUME, asset: TOKEN }, MAX_FEE],
};
const OPAQUE = {
  ...{ id: 'g1', createdSeq: 1, client: 'bot', wallet: 'hot', chain: 'eip155:1', kind: 'opaque-call' },
  ...{ contracts: [ADDRESS], selectors: 'any', constraints: [VOLUME] },
};

const refusal = (json: unknown) => {
  const parsed = parseGrant(json);
  return parsed.ok ? 'taken' : [parsed.error.code, parsed.error.path];
};

describe('parseGrant', () => {
  it('reads amounts as bigints, and toJson writes the same JSON again', () => {
    const grant = parseGrant(JSON.parse(JSON.stringify(JSON_GRANT)));
    expect(grant).toEqual({
      ok: true,
      value: {
        ...JSON_GRANT,
        constraints: [{ ...VOLUME, limit: 2n * 10n ** 18n }, COUNT, { ...MAX_FEE, limit: 10n ** 15n }],
      },
    });
    if (grant.ok) expect(toJson(grant.value)).toEqual(JSON_GRANT);
  });

  it('has no member that was not there', () => {
    const { label: _label, ...json } = JSON_GRANT;
    const grant = parseGrant(json);
    expect(grant.ok && Object.keys(grant.value).sort()).toEqual(Object.keys(json).sort());
  });

  const constraints = (...list: unknown[]) => ({ constraints: list });
  it.each<[object, string, string]>([
    [{ id: '' }, 'invalid_text', '/id'],
    [{ client: 'any' }, 'invalid_text', '/client'],
    [{ client: { group: ' x' } }, 'invalid_text', '/client/group'],
    [{ client: 'bot\u001b[2J' }, 'invalid_text', '/client'],
    [{ wallet: ' hot' }, 'invalid_text', '/wallet'],
    [{ label: 'paid\u202eliam' }, 'invalid_text', '/label'],
    [{ createdSeq: 1.5 }, 'invalid_sequence', '/createdSeq'],
    [{ kind: 'constructor' }, 'unknown_kind', '/kind'],
    [{ chain: 'eip155:01' }, 'invalid_chain', '/chain'],
    [{ chain: 'eip155:0' }, 'invalid_chain', '/chain'],
    [{ recipients: undefined }, 'invalid_list', '/recipients'],
    [{ recipients: ['any'] }, 'invalid_address', '/recipients/0'],
    [{ recipients: [ADDRESS, ADDRESS] }, 'duplicate_item', '/recipients/1'],
    [{ recipients: Array.from({ length: 1001 }, () => ADDRESS) }, 'invalid_list', '/recipients'],
    [constraints(), 'no_volume_limit', '/constraints'],
    [constraints(COUNT, MAX_FEE), 'no_volume_limit', '/constraints'],
    [constraints(VOLUME, { type: 'lunar' }), 'unknown_constraint', '/constraints/1/type'],
    [constraints(VOLUME, { ...VOLUME, limit: '7' }), 'duplicate_constraint', '/constraints/1'],
    [constraints({ ...VOLUME, limit: '0' }), 'invalid_limit', '/constraints/0/limit'],
    [constraints({ ...VOLUME, limit: 5 }), 'invalid_limit', '/constraints/0/limit'],
    [constraints({ ...VOLUME, asset: 'ETH' }), 'invalid_asset', '/constraints/0/asset'],
    [constraints({ ...VOLUME, window: { seconds: 0 } }), 'invalid_window', '/constraints/0/window/seconds'],
    [constraints({ ...VOLUME, window: { ever: true, seconds: 5 } }), 'unknown_member', '/constraints/0/window/seconds'],
    [
      constraints({ ...VOLUME, window: { calendar: 'day', zone: 'here' } }),
      'invalid_zone',
      '/constraints/0/window/zone',
    ],
    [constraints({ ...VOLUME, until: 5 }), 'unknown_member', '/constraints/0/until'],
    [constraints(VOLUME, { type: 'validity', fromMs: 5, untilMs: 5 }), 'invalid_time', '/constraints/1/untilMs'],
    [constraints(VOLUME, { type: 'validity', fromMs: null, untilMs: null }), 'invalid_time', '/constraints/1/untilMs'],
    [{ 'valid/until~': 5 }, 'unknown_member', '/valid~1until~0'],
  ])('refuses %j: %s at %s', (patch, code, path) => {
    expect(refusal({ ...JSON_GRANT, ...patch })).toEqual([code, path]);
  });

  it('wants a limit for each token, and one for fees where a route costs some', () => {
    expect(refusal(TOKENS)).toBe('taken');
    expect(refusal({ ...TOKENS, constraints: [MAX_FEE] })).toEqual(['no_volume_limit', '/constraints']);
    expect(refusal({ ...TOKENS, constraints: [MAX_FEE], unlimited: [TOKEN] })).toBe('taken');
    const noFee = { ...TOKENS, constraints: [{ ...VOLUME, asset: TOKEN }] };
    expect(refusal(noFee)).toEqual(['no_fee_limit', '/constraints']);
    expect(refusal({ ...noFee, routes: ['permit', 'permit2'] })).toBe('taken');
  });

  it('wants said what an opaque grant means', () => {
    expect(refusal(OPAQUE)).toEqual(['not_acknowledged', '/acknowledge']);
    expect(refusal({ ...OPAQUE, acknowledge: true })).toEqual(['not_acknowledged', '/acknowledge']);
    const acknowledge = 'calls are not understood and may move anything that the contract may move';
    expect(refusal({ ...OPAQUE, acknowledge })).toBe('taken');
  });

  it.each([null, 'grant', 7, [JSON_GRANT], undefined])('refuses %j', (json) => {
    expect(refusal(json)).toEqual(['not_an_object', '']);
  });

  it('sees a member that JSON hides from assignment', () => {
    const json: unknown = JSON.parse(`{"__proto__": 1, ${JSON.stringify(JSON_GRANT).slice(1)}`);
    expect(refusal(json)).toEqual(['unknown_member', '/__proto__']);
  });
});

describe('toJson', () => {
  it('refuses what JSON would not hold exactly', () => {
    for (const value of [0.5, 2 ** 53, undefined, new Map(), new Uint8Array(1), Number.NaN]) {
      expect(() => toJson([value])).toThrow(TypeError);
    }
  });
});
