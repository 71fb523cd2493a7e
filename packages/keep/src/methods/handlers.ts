import type { MethodName, MethodParams, MethodResult } from '@keepwatch/protocol';
import { coded, type PeerSession, type Sessions } from '../peers/sessions.ts';
import { readBackup } from '../vault/backup.ts';
import { requireUnsealed } from '../vault/order.ts';
import type { Commands } from '../vault/commands.ts';
import type { VaultContext } from '../vault/context.ts';
import { writeBackupPiece } from '../vault/restore.ts';
import { keepTime } from '../vault/unsealed.ts';
import { statusFor } from '../vault/vault.ts';
import { readJournal, readReceipt, readReceipts, verifyJournal } from './journal.ts';
import { listApprovals, reportSettlement, suggestContracts } from './desk.ts';
import { explainRequest, lintGrants } from './explain.ts';
import { createNonceDesk } from './nonces.ts';
import { readContracts, readHeads, readStanding } from './observe.ts';
import { createRegistration } from './proposals.ts';
import { listGrants, listPeers, listWallets, visibleWallets } from './queries.ts';
import type { JsonText } from '../peers/json-text.ts';
import { loadCandidates, stepReplay } from './replay.ts';
import type { Signing } from './sign.ts';

type Handler<N extends MethodName> = (session: PeerSession, params: MethodParams<N>) => Result<N> | Promise<Result<N>>;

type Result<N extends MethodName> = MethodResult<N> | JsonText;

export type Handlers = { readonly [N in MethodName]: Handler<N> };

export interface HandlerDeps {
  readonly vault: VaultContext;
  readonly commands: Commands;
  readonly signing: Signing;
  readonly sessions: () => Pick<Sessions, 'connected'>;
  readonly doctor: () => MethodResult<'doctor.report'>;
}

/** One handler a method. Caller, phase and parameters have been checked; a refusal is a thrown CodedError. */
export function createHandlers({ vault, commands, signing, sessions, doctor }: HandlerDeps): Handlers {
  const state = () => requireUnsealed(vault).state;
  const nextNonce = createNonceDesk(vault);
  const monotonicMs = () => vault.deps.clock().monotonicMs;

  return {
    'vault.status': (session) => statusFor(vault, session.caller),
    'entry.begin'(session, { purpose }) {
      const begun = vault.entryKeys.begin(purpose, session.id, vault.deps.clock().wallMs);
      if (!begun.ok) throw coded(begun.error);
      return { key: begun.value.key, expires: begun.value.expiresMs };
    },
    async command(session, { jws }) {
      const done = await commands.run(session, jws);
      if (vault.unsealed) vault.unsealed.lastActivityMs = monotonicMs();
      return done;
    },
    'peer.register': createRegistration(vault),
    'peer.list': (_session, params) => listPeers(state(), sessions().connected(), params),
    'wallet.list': (session, params) =>
      listWallets(state(), session.caller === 'operator' ? null : visibleWallets(state(), session.peer), params),
    'grant.list': (session, params) =>
      listGrants(
        state(),
        session.caller === 'operator' ? null : session.peer,
        params,
        keepTime(vault, state()),
        vault.deps.zones,
      ),
    'transaction.sign': (session, params) => signing.transaction(session, params),
    'typed-data.sign': (session, params) => signing.typedData(session, params),
    'message.sign': (session, params) => signing.message(session, params),
    'authorization.sign': (session, params) => signing.authorization(session, params),
    'grant.explain': (session, params) => explainRequest(vault, session, params),
    'grant.lint': () => lintGrants(vault),
    'replay.load': (session, params) => loadCandidates(vault, session, params),
    'replay.step': (session) => stepReplay(vault, session),
    'nonce.next': (session, params) => nextNonce(session, params),
    'approval.list': (session, params) =>
      listApprovals(state(), session.caller === 'operator' ? null : session.peer, params, keepTime(vault, state())),
    'contract.list': (session, params) => readContracts(vault, session, params),
    'contract.suggestions': (_session, params) => suggestContracts(params),
    'settlement.report': (session, params) => reportSettlement(vault, session, params),
    'observer.standing': (session, params) => readStanding(vault, session, params),
    'observer.heads': (_session, params) => readHeads(vault, params),
    'receipts.read': (session, params) => readReceipts(vault, session, params),
    'journal.read': (_session, params) => readJournal(vault, params),
    'journal.verify': () => verifyJournal(vault),
    'journal.receipt': (_session, params) => readReceipt(vault, params),
    'backup.read': (session, params) => readBackup(session, params),
    'backup.write': (session, params) => writeBackupPiece(vault, session, params),
    'doctor.report': () => doctor(),
  };
}
