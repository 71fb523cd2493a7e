import type { Json } from '@keepwatch/base';
import { applyOutboxEvent, createOutboxState, OUTBOX_DEFAULTS, outboxStep, type OutboxInput } from '@keepwatch/notify';
import { describe, expect, it } from 'vitest';
import { openChannel, readChannel, readsAnswers, shownChannel } from './settings.ts';

const SECRET = 'a-secret-that-nobody-is-shown';
const webhookSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const each: readonly (readonly [string, Json])[] = [
  ['webhook', { url: 'https://example.org/hook/a', secrets: [webhookSecret] }],
  ['email', { server: '[::1]:465', user: 'a', password: SECRET, sender: 'a@example.org', to: 'b@example.org' }],
  ['ntfy', { url: 'https://ntfy.example', topic: 'mine', token: SECRET }],
  ['telegram', { token: SECRET, chatId: '7' }],
  ['nostr', { relays: ['wss://relay.example'], secretKey: '11'.repeat(32), to: 'ab'.repeat(32) }],
  ['matrix', { url: 'https://matrix.example', accessToken: SECRET, roomId: '!a:matrix.example' }],
  ['signal', { url: 'http://127.0.0.1:1', number: '+1', to: '+2' }],
  ['sms', { to: '+15550100', url: 'https://sms.example/send', body: '{"to":"{to}","text":"{text}"}' }],
  ['command', { program: '/bin/true', args: ['-x'] }],
];

describe('settings of channels', () => {
  it.each(each)('opens a channel of the kind %s, and shows nothing of its secrets', async (kind, more) => {
    const read = readChannel({ name: 'one', kind, ...(more as object) });
    if (!read.ok) throw new Error(read.error);
    const channel = await openChannel(read.value);
    expect([channel.name, channel.kind]).toEqual(['one', kind]);
    await channel.close();
    const shown = JSON.stringify(shownChannel(read.value, createOutboxState({ ...OUTBOX_DEFAULTS, instance: 'x' })));
    for (const secret of [SECRET, webhookSecret, '11'.repeat(32)]) expect(shown).not.toContain(secret);
  });

  it.each(each)('says of the kind %s whether answers are read, as its adapter does it', async (kind, more) => {
    const people = { matrix: ['@ada:x'], signal: ['+1'], telegram: ['7'] } as Readonly<Record<string, string[]>>;
    const tries = [{}, ...(people[kind] ? [{ answersBy: people[kind] }, { answersBy: [] }] : [])];
    const group = kind === 'signal' ? [{ to: 'group.abc' }, { to: 'group.abc', answersBy: ['+1'] }] : [];
    for (const over of [...tries, ...group]) {
      const read = readChannel({ name: 'one', kind, ...(more as object), ...over });
      if (!read.ok) throw new Error(read.error);
      const channel = await openChannel(read.value);
      expect(readsAnswers(read.value)).toBe(channel.replies !== undefined);
      await channel.close();
    }
  });

  it('tells a room that its server reads no more than that something happened', () => {
    const matrix = { name: 'room', kind: 'matrix', ...(each[5]![1] as object) };
    expect(readChannel(matrix)).toMatchObject({ value: { privacy: 'look' } });
    const refused = readChannel({ ...matrix, privacy: 'full' });
    expect(refused.ok ? '' : refused.error).toContain('only the level look is for it');
  });

  it.each([
    ['nothing', null],
    ['an unknown kind', { name: 'one', kind: 'pigeon' }],
    ['a name that is none', { name: 'One!', kind: 'command', program: '/bin/true' }],
    ['a program that PATH would choose', { name: 'one', kind: 'command', program: 'true' }],
    ['a member without a meaning', { name: 'one', kind: 'command', program: '/bin/true', shell: true }],
    [
      'both ways to encrypt a mail',
      {
        ...{ name: 'one', kind: 'email', server: 'a:465', sender: 'a@b.c', to: 'a@b.c' },
        ...{ openPgpKey: 'x', ageRecipients: ['age1x'] },
      },
    ],
    ['a file for a URL', { name: 'one', kind: 'webhook', url: 'file:///etc/passwd', secrets: [webhookSecret] }],
  ] as const)('refuses %s', (_, value) => {
    expect(readChannel(value)).toMatchObject({ ok: false });
  });

  it('refuses, before it is kept, a recipient of age to whom nobody can write', async () => {
    const mail = { name: 'one', kind: 'email', ...(each[1]![1] as object), ageRecipients: ['age1yubikey1qqqqqq'] };
    const read = readChannel(mail);
    if (!read.ok) throw new Error(read.error);
    await expect(openChannel(read.value)).rejects.toMatchObject({ code: 'age_recipient_unsupported' });
  });

  it('shows as sent what its service took, and nothing that was only tried', () => {
    const read = readChannel({ name: 'one', kind: 'command', program: '/bin/false' });
    if (!read.ok) throw new Error(read.error);
    const outbox = createOutboxState({ ...OUTBOX_DEFAULTS, instance: 'x' });
    const tell = (input: OutboxInput, atMs: number) => {
      for (const event of outboxStep(outbox, input, atMs)) applyOutboxEvent(outbox, event);
    };
    const about = { group: null, severity: 'info', subject: '', body: '', data: null, acknowledgement: null } as const;
    const sent = () => shownChannel(read.value, outbox).sent;
    const on = { channel: 'one', key: 'k' };
    tell({ kind: 'post', channel: 'one', post: { key: 'k', ...about, atMs: 1 } }, 1);
    tell({ kind: 'begin', ...on }, 2);
    const outcome = { kind: 'outcome', ...on, entropy: 0 } as const;
    tell({ ...outcome, attempt: 1, delivery: { kind: 'broken', code: 'gone', words: 'Gone.' } }, 3);
    expect(sent()).toBe(0);
    tell({ kind: 'begin', ...on }, 3_600_000);
    tell({ ...outcome, attempt: 2, delivery: { kind: 'delivered', reference: null } }, 3_600_001);
    expect(sent()).toBe(1);
  });

  it('repeats nothing of what it refuses', () => {
    const read = readChannel({ name: 'one', kind: 'telegram', token: [SECRET], chatId: '7' });
    expect(read).toMatchObject({ ok: false });
    expect(JSON.stringify(read)).not.toContain(SECRET);
  });
});
