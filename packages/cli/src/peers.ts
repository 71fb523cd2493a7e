import { CodedError } from '@keepwatch/base';
import type { PeerInfo, Role } from '@keepwatch/protocol';
import { command, type Command } from './command.ts';
import { findPeer } from './find.ts';
import { table } from './table.ts';
import { showTime } from './values.ts';
import { withOperator } from './vault-session.ts';

/** A revoked key stays revoked, and nobody can approve it. Throws `peer_unknown`. */
export function demandNotRevoked(state: PeerInfo['state'], peer: string): void {
  if (state !== 'revoked') return;
  throw new CodedError('peer_unknown', `The vault has revoked the key of this profile (${peer}); it stays revoked.`, {
    remedy: 'Ask with a new key: another --profile makes one.',
  });
}

/** What can be done to a peer is the same for operators and clients, so `operator …` and `client …` share it. */
export function peerCommands(role: Role): readonly Command[] {
  const PEER = role.toUpperCase();
  const one = role === 'operator' ? 'an operator' : 'a client';

  const list = command({
    name: `${role} list`,
    summary: `The ${role}s of the vault, and who asks to become one`,
    options: { revoked: { words: 'show revoked ones as well' } },
    run: (context, options) =>
      withOperator(context, async (operator) => {
        const peers = (await operator.peers()).filter(
          (peer) => peer.role === role && (options.revoked || peer.state !== 'revoked'),
        );
        if (peers.length === 0) return { json: { peers }, text: `No ${role} yet, and nobody asks to become one.` };
        const { paint } = context.terminal;
        const states = { registered: paint.good, proposed: paint.warning, revoked: paint.bad };
        const rows = peers.map((peer) => [
          peer.name,
          states[peer.state](peer.state),
          peer.connected ? 'connected' : '',
          showTime(peer.since),
          peer.key.alg,
          peer.peer,
        ]);
        return { json: { peers }, text: table([['NAME', 'STATE', '', 'SINCE', 'KEY', 'ID'], ...rows], paint.quiet) };
      }),
  });

  const approve = command({
    name: `${role} approve`,
    summary: `Register ${one} that asked for it; compare its id with the one it shows`,
    positionals: [PEER],
    options: { name: { value: 'NAME', words: 'call it so, whatever it called itself' } },
    run: (context, options, [word = '']) =>
      withOperator(context, async (operator) => {
        const proposal = await findPeer(operator, word, role, 'proposed');
        const name = options.name ?? proposal.name;
        await operator.command('peer.approve', { peer: proposal.peer, role, name });
        return { json: { peer: proposal.peer, role, name }, text: `“${name}” (${proposal.peer}) is ${one} now.` };
      }),
  });

  const reject = command({
    name: `${role} reject`,
    summary: 'Drop the wish of one that asked to be registered',
    positionals: [PEER],
    run: (context, _, [word = '']) =>
      withOperator(context, async (operator) => {
        const { peer, name } = await findPeer(operator, word, role, 'proposed');
        await operator.command('peer.reject', { peer });
        return { json: { peer, rejected: true }, text: `The wish of “${name}” (${peer}) is dropped.` };
      }),
  });

  const rename = command({
    name: `${role} rename`,
    summary: `Give ${one} another name`,
    positionals: [PEER, 'NAME'],
    run: (context, _, [word = '', name = '']) =>
      withOperator(context, async (operator) => {
        const peer: PeerInfo = await findPeer(operator, word, role, 'registered');
        await operator.command('peer.rename', { peer: peer.peer, name });
        return { json: { peer: peer.peer, name }, text: `“${peer.name}” is now called “${name}”.` };
      }),
  });

  const revoke = command({
    name: `${role} revoke`,
    summary: `End the rights, grants and connections of ${one} at once`,
    positionals: [PEER],
    run: (context, _, [word = '']) =>
      withOperator(context, async (operator) => {
        const { peer, name } = await findPeer(operator, word, role, 'registered');
        await operator.command('peer.revoke', { peer });
        return { json: { peer, revoked: true }, text: `“${name}” (${peer}) has no rights any more.` };
      }),
  });

  return [list, approve, reject, rename, revoke];
}
