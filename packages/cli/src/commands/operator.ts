import { userInfo } from 'node:os';
import { command } from '../command.ts';
import { localConnection, readConnection, withoutToken } from '../connection-argument.ts';
import { withData } from '../directories.ts';
import { demandNotRevoked, peerCommands } from '../peers.ts';
import { fields } from '../table.ts';
import { ownIdentity, profileOf, withConnection, withOperator } from '../vault-session.ts';

const joinVault = command({
  name: 'operator join',
  summary: 'Become an operator: the first by its token, others by the approval of one that is',
  positionals: ['CONNECTION?'],
  options: {
    name: { value: 'NAME', words: 'what the vault shall call you (default: your user name)' },
    data: { value: 'DIR', words: 'without CONNECTION: data directory of the vault on this machine' },
  },
  async run(context, options, [given]) {
    const { data } = withData(context.directories, options.data);
    const connectionString = given === undefined ? await localConnection(data) : readConnection(given);
    const find =
      'On the vault’s machine, `keepwatch operator join` finds it by itself; for elsewhere, take the string that `keepwatch vault run` prints as “From elsewhere”.';
    const profile = profileOf(context, 'operator');
    const identity = await ownIdentity(profile);
    const name = options.name ?? userInfo().username;
    return withConnection(profile, connectionString, identity, 'register', async (connection) => {
      const { vault, ready } = connection.info;
      const { caller, peer, status } = ready;
      const register = () => connection.call('peer.register', { name, role: 'operator' });
      const { state } = caller === 'operator' ? { state: 'registered' as const } : await register();
      demandNotRevoked(state, peer);
      if (state === 'registered') {
        const next =
          status.phase === 'uninitialised'
            ? 'keepwatch vault init\n  or, to bring one back:  keepwatch vault restore FILE'
            : 'keepwatch vault status';
        return {
          json: { peer, vault, state },
          text: `You are an operator of this vault. Your id: ${peer}\nNext: ${next}`,
        };
      }
      return {
        json: { peer, vault, state, name },
        text: [
          `You asked to become an operator, as “${name}”. Your id: ${peer}`,
          'Another operator compares this id and runs:',
          `  keepwatch operator approve ${peer}`,
        ].join('\n'),
      };
    }).catch((error: unknown) => {
      throw withoutToken(error, given ?? '', find);
    });
  },
});

const whoami = command({
  name: 'operator whoami',
  summary: 'Who this profile is to its vault',
  run: (context) =>
    withOperator(context, async (operator, connection) => {
      const { vault, ready } = connection.info;
      const { peer, status } = ready;
      const own =
        status.phase === 'unsealed' ? (await operator.peers()).find((known) => known.peer === peer) : undefined;
      return {
        json: { peer, name: own?.name ?? null, vault, profile: context.profile },
        text: fields([
          ['name', own?.name],
          ['id', peer],
          ['vault', vault],
          ['profile', context.profile],
        ]),
      };
    }),
});

export const OPERATOR_COMMANDS = [joinVault, whoami, ...peerCommands('operator')];
