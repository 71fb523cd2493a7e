import { CodedError } from '@keepwatch/base';
import { createClient, type Client, type Connection, type SignedTransaction } from '@keepwatch/sdk';
import {
  addClient,
  connectAs,
  createWallet,
  grant,
  setUpOperator,
  type Person,
  type SeatedOperator,
  type VaultProcess,
  type Wallet,
} from '../world/index.ts';

/** An owner and a client who use a vault while somebody attacks it, and who can say afterwards what became of it. */
export interface HonestParty {
  readonly owner: SeatedOperator;
  readonly client: Person & { readonly peer: string };
  readonly wallet: Wallet;
  readonly grant: string;
  /** A session of the client. */
  connect(): Promise<Connection>;
  /** Asks for a transfer of one wei with the next nonce, over a session that lasts from one call to the next. */
  sign(): Promise<SignedTransaction>;
  /** The same over another session. */
  signOver(connection: Connection): Promise<SignedTransaction>;
  /** Everything that the vault has decided and everything that it allows. */
  ledger(): Promise<Ledger>;
  close(): Promise<void>;
}

export interface Ledger {
  /** The type of each journal entry, in order. */
  readonly entries: readonly string[];
  /** Peers with their roles, wallets, and grants with what is spent of them. */
  readonly allowed: unknown;
}

const CHAIN = 'eip155:1';
const ENOUGH = String(10n ** 24n);

export async function seatHonestParty(
  vault: Pick<VaultProcess, 'connection' | 'bootstrapConnection'>,
): Promise<HonestParty> {
  const owner = await setUpOperator(vault);
  const client = await addClient(vault, owner.operator, 'shop');
  const wallet = await createWallet(owner.operator, 'till');
  const id = await grant(owner.operator, {
    client: client.peer,
    wallet: wallet.wallet,
    chain: CHAIN,
    kind: 'ether-transfer',
    recipients: 'any',
    constraints: [{ type: 'volume', asset: 'native', limit: ENOUGH, window: { seconds: 86_400 } }],
  });
  const connections = new Set<Connection>();
  let nonce = 0;
  let lasting: Client | undefined;

  async function connect(): Promise<Connection> {
    const connection = await connectAs(vault, client);
    connections.add(connection);
    return connection;
  }

  function signWith(by: Client): Promise<SignedTransaction> {
    return by.signTransaction({
      wallet: wallet.wallet,
      transaction: {
        chainId: 1,
        nonce: nonce++,
        to: wallet.address,
        value: 1n,
        maxFeePerGas: 1n,
        maxPriorityFeePerGas: 0n,
      },
    });
  }

  return {
    owner,
    client,
    wallet,
    grant: id,
    connect,
    sign: async () => signWith((lasting ??= createClient(await connect()))),
    signOver: (connection) => signWith(createClient(connection)),
    async ledger() {
      const { operator } = owner;
      const [peers, wallets, grants] = [await operator.peers(), await operator.wallets(), await operator.grants()];
      return {
        entries: await entryTypes(owner),
        allowed: {
          peers: peers.map(({ peer, role, state, observes }) => ({ peer, role, state, observes })),
          wallets: wallets.map((each) => each.wallet),
          grants: grants.map(({ grant: name, draft, revoked, budgets }) => ({
            name,
            draft,
            revoked,
            spent: budgets.map(({ spent }) => spent),
          })),
        },
      };
    },
    async close() {
      for (const connection of connections) await connection.close();
      await owner.connection.close();
    },
  };
}

async function entryTypes({ operator }: SeatedOperator): Promise<string[]> {
  const types: string[] = [];
  for (let from = 1; ;) {
    const { entries } = await operator.query('journal.read', { from, limit: 200 });
    if (entries.length === 0) return types;
    for (const { seq, entry } of entries) {
      const decoded = JSON.parse(entry) as { type: string };
      types.push(`${seq} ${decoded.type}`);
      from = seq + 1;
    }
  }
}

/** The code that a promise fails with; `fulfilled` where it does not fail. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'fulfilled';
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}
