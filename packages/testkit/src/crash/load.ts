import { CodedError } from '@keepwatch/base';
import type { Connection } from '@keepwatch/sdk';
import { connectAs, type Person, type VaultProcess, type Wallet } from '../world/index.ts';
import type { Evidence } from './evidence.ts';
import { createRequest, type SignRequest } from './request.ts';

/** The wallets of one round, and what their grants make of requests. */
export interface Stage {
  /** Its grant's volume is soon exhausted. */
  readonly volume: Wallet;
  /** Its grant's count is soon exhausted. */
  readonly count: Wallet;
  /** Its grants are wide, and everybody wants the same nonces. */
  readonly contested: Wallet;
}

/** A connection of one client that is made anew whenever it is gone. */
interface Line {
  readonly person: Person & { readonly peer: string };
  current(): Promise<Connection>;
}

export interface Load {
  /** Requests go out until `stop`; those that lost their answer are asked again with the same key. */
  run(stage: Stage): void;
  /** No new requests. Fulfilled when every request has an answer: a signature, or a refusal. */
  settle(): Promise<void>;
  /** One request again. */
  repeat(request: SignRequest): Promise<void>;
  violations(): readonly string[];
  counts(): { readonly asked: number; readonly retried: number; readonly refused: ReadonlyMap<string, number> };
  close(): Promise<void>;
}

/** What may come back instead of a signature without anything being wrong. */
const REFUSALS = new Set(['denied', 'request_voided', 'rate_limited']);
/** The answer is lost or has to wait: ask again. */
const AGAIN = new Set([
  ...['connection_failed', 'connection_closed', 'connection_lost', 'connection_timeout', 'keep_unavailable'],
  ...[
    'request_timeout',
    'connection_too_slow',
    'session_closed',
    'vault_sealed',
    'peer_unknown',
    'handshake_expired',
    'handshake_unconfirmed',
  ],
]);
const PAUSE_MS = 20;

export function createLoad(
  vault: VaultProcess,
  people: readonly (Person & { readonly peer: string })[],
  evidence: Evidence,
  options: { readonly connections: number; readonly inFlight: number },
): Load {
  const lines = Array.from({ length: options.connections }, (_, i) => openLine(vault, people[i % people.length]!));
  const found: string[] = [];
  const refused = new Map<string, number>();
  let asked = 0;
  let retried = 0;
  let running = false;
  let lanes: Promise<void>[] = [];
  let nextNonce = 0;

  function makeRequest(line: Line, stage: Stage): SignRequest {
    const value = BigInt(1 + Math.floor(Math.random() * 3)) * 1_000_000n;
    const nonce = nextNonce++;
    const kind = Math.random();
    if (kind < 0.2) return createRequest(line.person.peer, stage.volume, nonce, value);
    if (kind < 0.4) return createRequest(line.person.peer, stage.count, nonce, value);
    // One of the newest few, which others are asking for with another value at this moment.
    const wanted = Math.max(0, nonce - Math.floor(Math.random() * 8));
    return createRequest(line.person.peer, stage.contested, wanted, value);
  }

  /** Asks until there is an answer that says what became of the request. */
  async function ask(line: Line, request: SignRequest): Promise<void> {
    asked++;
    for (;;) {
      try {
        const connection = await line.current();
        const answer = await connection.call('transaction.sign', request.params);
        found.push(...evidence.signed(request, answer));
        return;
      } catch (error) {
        const code = error instanceof CodedError ? error.code : 'unexpected';
        if (REFUSALS.has(code) || code.startsWith('storage_')) {
          refused.set(code, (refused.get(code) ?? 0) + 1);
          return;
        }
        if (!AGAIN.has(code)) {
          found.push(`a request failed with ${code}: ${error instanceof Error ? error.message : 'not an error'}`);
          return;
        }
        retried++;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  async function lane(line: Line, stage: Stage): Promise<void> {
    while (running) {
      const request = makeRequest(line, stage);
      // Some clients are impatient and ask twice at once: one key, one answer.
      const twice = Math.random() < 1 / 16 ? [ask(line, request)] : [];
      await Promise.all([ask(line, request), ...twice]);
    }
  }

  return {
    run(stage) {
      running = true;
      nextNonce = 0;
      lanes = Array.from({ length: options.inFlight }, (_, i) => lane(lines[i % lines.length]!, stage));
    },
    async settle() {
      running = false;
      await Promise.all(lanes);
    },
    repeat: (request) =>
      ask(
        lines.find(({ person }) => person.peer === request.client)!,
        request,
      ),
    violations: () => found,
    counts: () => ({ asked, retried, refused }),
    async close() {
      await Promise.all(lines.map(async (line) => (await line.current()).close()));
    },
  };
}

function openLine(vault: VaultProcess, person: Person & { readonly peer: string }): Line {
  let connection: Promise<Connection> | undefined;
  return {
    person,
    current() {
      if (connection) return connection;
      const opening = connectAs(vault, person);
      connection = opening;
      const forget = () => {
        if (connection === opening) connection = undefined;
      };
      opening.then(({ closed }) => void closed.then(forget), forget);
      return opening;
    },
  };
}
