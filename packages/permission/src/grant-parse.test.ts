import { describe, expect, it } from 'vitest';
import { parseGrant } from './grant-parse.ts';
import { toJson } from './json.ts';

const ADDRESS = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const VOLUME = { type: 'volume', limit: '2000000000000000000', windowSeconds: 86_400 };
const COUNT = { type: 'count', limit: 10, windowSeconds: 3600 };
const MAX_FEE = { type: 'max-fee', limit: '1000000000000000' };
const JSON_GRANT = {
  id: 'g1',
  createdSeq: 12,
  client: 'bot',
  wallet: 'hot',
  chain: 'eip155:1',
  kind: 'ether-transfer',
  recipients: [ADDRESS],
  constraints: [VOLUME, COUNT, MAX_FEE],
  label: 'Payroll — März',
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

  it.each<[string, object]>([
    ['any recipient, said so', { recipients: 'any' }],
    ['nobody', { recipients: [] }],
    ['two windows of one type', { constraints: [VOLUME, { ...VOLUME, windowSeconds: 60 }] }],
    ['the shortest window and the smallest limit', { constraints: [{ ...VOLUME, windowSeconds: 1, limit: '1' }] }],
    ['the longest window', { constraints: [{ ...VOLUME, windowSeconds: 366 * 86_400 }] }],
    ['the largest amount', { constraints: [{ ...VOLUME, limit: ((1n << 256n) - 1n).toString() }] }],
  ])('accepts %s', (_, patch) => {
    expect(parseGrant({ ...JSON_GRANT, ...patch }).ok).toBe(true);
  });

  it('has no label where there is none', () => {
    const { label: _label, ...json } = JSON_GRANT;
    const grant = parseGrant(json);
    expect(grant.ok && 'label' in grant.value).toBe(false);
    expect(grant.ok).toBe(true);
  });

  const constraints = (...list: unknown[]) => ({ constraints: list });
  it.each<[object, string, string]>([
    [{ id: '' }, 'invalid_text', '/id'],
    [{ id: 'x'.repeat(129) }, 'invalid_text', '/id'],
    [{ client: 7 }, 'invalid_text', '/client'],
    [{ client: 'bot\u001b[2J' }, 'invalid_text', '/client'],
    [{ wallet: ' hot' }, 'invalid_text', '/wallet'],
    [{ label: 'paid\u202eliam' }, 'invalid_text', '/label'],
    [{ label: 'two\nlines' }, 'invalid_text', '/label'],
    [{ label: undefined }, 'invalid_text', '/label'],
    [{ createdSeq: -1 }, 'invalid_sequence', '/createdSeq'],
    [{ createdSeq: 1.5 }, 'invalid_sequence', '/createdSeq'],
    [{ kind: 'token-transfer' }, 'unknown_kind', '/kind'],
    [{ kind: 'constructor' }, 'unknown_kind', '/kind'],
    [{ chain: 'eip155:01' }, 'invalid_chain', '/chain'],
    [{ chain: 'bip122:000000000019d6689c085ae165831e93' }, 'invalid_chain', '/chain'],
    [{ chain: 1 }, 'invalid_chain', '/chain'],
    [{ recipients: undefined }, 'invalid_recipients', '/recipients'],
    [{ recipients: 'all' }, 'invalid_recipients', '/recipients'],
    [{ recipients: null }, 'invalid_recipients', '/recipients'],
    [{ recipients: Array.from({ length: 1025 }, () => ADDRESS) }, 'invalid_recipients', '/recipients'],
    [{ recipients: ['any'] }, 'invalid_recipient', '/recipients/0'],
    [{ recipients: [ADDRESS.toUpperCase()] }, 'invalid_recipient', '/recipients/0'],
    [{ recipients: [ADDRESS, `${ADDRESS}\n`] }, 'invalid_recipient', '/recipients/1'],
    [{ recipients: [ADDRESS, ADDRESS] }, 'duplicate_recipient', '/recipients/1'],
    [{ constraints: undefined }, 'invalid_constraints', '/constraints'],
    [{ constraints: Array.from({ length: 17 }, () => VOLUME) }, 'invalid_constraints', '/constraints'],
    [constraints(), 'no_volume_limit', '/constraints'],
    [constraints(COUNT, MAX_FEE), 'no_volume_limit', '/constraints'],
    [constraints(VOLUME, null), 'not_an_object', '/constraints/1'],
    [constraints(VOLUME, { type: 'quorum' }), 'unknown_constraint', '/constraints/1/type'],
    [constraints(VOLUME, { type: 'constructor' }), 'unknown_constraint', '/constraints/1/type'],
    [constraints({ ...VOLUME, limit: '0' }), 'invalid_limit', '/constraints/0/limit'],
    [constraints({ ...VOLUME, limit: 5 }), 'invalid_limit', '/constraints/0/limit'],
    [constraints({ ...VOLUME, limit: '1e18' }), 'invalid_limit', '/constraints/0/limit'],
    [constraints({ ...VOLUME, limit: (1n << 256n).toString() }), 'invalid_limit', '/constraints/0/limit'],
    [constraints(VOLUME, { ...COUNT, limit: 0 }), 'invalid_limit', '/constraints/1/limit'],
    [constraints(VOLUME, { ...COUNT, limit: '10' }), 'invalid_limit', '/constraints/1/limit'],
    [constraints(VOLUME, { ...COUNT, limit: 1_000_000_001 }), 'invalid_limit', '/constraints/1/limit'],
    [constraints(VOLUME, { ...MAX_FEE, limit: '0' }), 'invalid_limit', '/constraints/1/limit'],
    [constraints({ ...VOLUME, windowSeconds: 0 }), 'invalid_window', '/constraints/0/windowSeconds'],
    [constraints({ ...VOLUME, windowSeconds: 0.5 }), 'invalid_window', '/constraints/0/windowSeconds'],
    [constraints({ ...VOLUME, windowSeconds: 366 * 86_400 + 1 }), 'invalid_window', '/constraints/0/windowSeconds'],
    [constraints(VOLUME, { ...VOLUME, limit: '7' }), 'duplicate_constraint', '/constraints/1'],
    [constraints(VOLUME, MAX_FEE, { ...MAX_FEE, limit: '7' }), 'duplicate_constraint', '/constraints/2'],
    [constraints({ ...VOLUME, until: 5 }), 'unknown_member', '/constraints/0/until'],
    [constraints(VOLUME, { ...MAX_FEE, windowSeconds: 5 }), 'unknown_member', '/constraints/1/windowSeconds'],
    [{ 'valid/until~': 5 }, 'unknown_member', '/valid~1until~0'],
  ])('refuses %j: %s at %s', (patch, code, path) => {
    expect(parseGrant({ ...JSON_GRANT, ...patch })).toMatchObject({ ok: false, error: { code, path } });
  });

  it.each([null, 'grant', 7, [JSON_GRANT], undefined])('refuses %j', (json) => {
    expect(parseGrant(json)).toMatchObject({ ok: false, error: { code: 'not_an_object', path: '' } });
  });

  it('sees a member that JSON hides from assignment', () => {
    const json: unknown = JSON.parse(`{"__proto__": 1, ${JSON.stringify(JSON_GRANT).slice(1)}`);
    expect(parseGrant(json)).toMatchObject({ error: { code: 'unknown_member', path: '/__proto__' } });
  });
});

describe('toJson', () => {
  it('refuses what JSON would not hold exactly', () => {
    for (const value of [0.5, 2 ** 53, undefined, new Map(), new Uint8Array(1), Number.NaN]) {
      expect(() => toJson([value])).toThrow(TypeError);
    }
  });
});
