import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodedError } from '@keepwatch/base';
import type { Figures } from './figures.ts';

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Takes a request that is none of health and metrics; false: it is not its own either. */
export type Mounted = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * `/healthz` (the process answers), `/readyz` (unlocked, and enough sources speak: 200, else 503) and `/metrics` (Prometheus
 * exposition format 0.0.4). It listens on loopback alone; nothing on it needs a key, and nothing on it names a wallet.
 */
export async function serveHttp(
  listen: { readonly host: string; readonly port: number },
  figures: () => Figures,
  mounted: Mounted = () => false,
): Promise<HttpServer> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 8_192 },
    (request, response) => {
      const path = (request.url ?? '/').split('?')[0];
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (isRead && path === '/healthz') return reply(response, 200, 'text/plain', 'alive\n');
      if (isRead && path === '/readyz') {
        const words = unreadiness(figures());
        return reply(response, words === undefined ? 200 : 503, 'text/plain', `${words ?? 'ready'}\n`);
      }
      if (isRead && path === '/metrics')
        return reply(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(figures()));
      if (!mounted(request, response)) reply(response, 404, 'text/plain', 'not found\n');
    },
  );
  server.maxConnections = 64;
  server.listen(listen.port, listen.host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new CodedError('monitor_port_taken', `The monitor cannot listen on ${listen.host}:${listen.port}.`, {
      cause,
      remedy: 'Name another address with --http HOST:PORT, or `--http off`.',
    });
  }
  const { address, port, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Why it is not ready; undefined: it is. */
function unreadiness({ locked, able, evm }: Figures): string | undefined {
  if (locked) return 'locked';
  if (!able) return 'no set of sources that suffices speaks';
  const late = evm.find(({ state }) => state !== 'live');
  return late && `chain ${late.chain} is ${late.state}`;
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

export function metricsText(figures: Figures): string {
  const lines: string[] = [];
  const metric = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    values: readonly (readonly [string, number])[],
  ) => {
    lines.push(`# HELP keepwatch_monitor_${name} ${help}`, `# TYPE keepwatch_monitor_${name} ${type}`);
    for (const [labels, value] of values) lines.push(`keepwatch_monitor_${name}${labels} ${value}`);
  };
  const one = (value: number | boolean) => [['', Number(value)]] as const;
  const label = (name: string, value: string) => `{${name}="${value.replaceAll(/[\\"\n]/g, '_')}"}`;
  metric('locked', 'gauge', 'Whether the pass phrase is awaited.', one(figures.locked));
  metric('able', 'gauge', 'Whether enough sources speak to be believed.', one(figures.able));
  metric('tip_height', 'gauge', 'Height of the last block.', one(figures.tipHeight));
  metric('tip_age_seconds', 'gauge', 'Seconds since the last block was learnt.', one(figures.tipAgeSeconds));
  metric('wallets', 'gauge', 'Watched wallets.', one(figures.wallets));
  metric('scripts', 'gauge', 'Watched scripts.', one(figures.scripts));
  metric('coins', 'gauge', 'Known coins.', one(figures.coins));
  metric('journal_entries', 'counter', 'Entries of the journal.', one(figures.entries));
  metric(
    'findings_total',
    'counter',
    'Findings since the start of the process.',
    Object.entries(figures.findings).map(([kind, count]) => [label('kind', kind), count]),
  );
  metric('scans_due', 'gauge', 'Wallets whose past is being read.', one(figures.scansDue));
  metric('messages_waiting', 'gauge', 'Messages that are not delivered yet.', one(figures.messagesWaiting));
  metric(
    'oldest_message_seconds',
    'gauge',
    'Seconds for which the oldest message is due and not delivered.',
    one(figures.oldestMessageSeconds),
  );
  metric('answers_awaited', 'gauge', 'Findings that wait for an answer.', one(figures.answersAwaited));
  metric('answers_missing', 'gauge', 'Findings that nobody answered.', one(figures.answersMissing));
  metric('channels_dead', 'gauge', 'Channels that cannot deliver.', one(figures.channelsDead));
  const each = <T>(of: (source: Figures['sources'][number]) => T) =>
    figures.sources.map((source): readonly [string, T] => [label('source', source.name), of(source)]);
  metric(
    'source_live',
    'gauge',
    'Whether a source is at the tip of its chain.',
    each(({ live }) => Number(live)),
  );
  metric(
    'source_peers',
    'gauge',
    'Nodes that a source is connected to.',
    each(({ peers }) => peers),
  );
  metric(
    'source_blocks_behind',
    'gauge',
    'Blocks from the tip of a source to the highest that is known.',
    figures.sources.flatMap(({ name, behind }) => (behind === null ? [] : [[label('source', name), behind]])),
  );
  metric(
    'vaults',
    'gauge',
    'Vaults that are followed, by what they last said of themselves; silent: they cannot be reached.',
    Object.entries(figures.vaults).map(([phase, count]) => [label('phase', phase), count]),
  );
  metric(
    'evm_height',
    'gauge',
    'Number of the last block of an EVM chain that was looked at.',
    figures.evm.map(({ chain, height }) => [label('chain', chain), height]),
  );
  metric(
    'evm_live',
    'gauge',
    'Whether an EVM chain is followed at its tip.',
    figures.evm.map(({ chain, state }) => [label('chain', chain), Number(state === 'live')]),
  );
  metric(
    'evm_upstream_live',
    'gauge',
    'Whether an upstream of an EVM chain answers, at the tip.',
    figures.evm.flatMap(({ chain, upstreams }) =>
      upstreams.map(({ name, live }): readonly [string, number] => [
        label('upstream', `${chain}/${name}`),
        Number(live),
      ]),
    ),
  );
  metric(
    'evm_upstream_blocks_behind',
    'gauge',
    'Blocks from the head of an upstream to the highest of its chain.',
    figures.evm.flatMap(({ chain, upstreams }) =>
      upstreams.flatMap(({ name, behind }): (readonly [string, number])[] =>
        behind === null ? [] : [[label('upstream', `${chain}/${name}`), behind]],
      ),
    ),
  );
  return `${lines.join('\n')}\n`;
}
