/** What gate counts, in plain numbers, and its text form for Prometheus (exposition format 0.0.4). */
export interface GateCounters {
  handshakes: number;
  handshakesFailed: number;
  upgrades: number;
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  linkWrites: number;
  linkReads: number;
  keepConnects: number;
  keepLosses: number;
  readonly ended: Record<EndReason, number>;
}

/** Why gate itself ended or refused a connection. */
export type EndReason = (typeof END_REASONS)[number];

const END_REASONS = [
  'table_full',
  'evicted',
  'handshake_timeout',
  'request_timeout',
  'first_message_timeout',
  'authentication_timeout',
  'message_too_large',
  'message_rate',
  'slow_reader',
  'keep_unavailable',
  'protocol_error',
  'shutdown',
] as const;

/** What is so at the moment of the question. */
export interface GateGauges {
  readonly connections: number;
  readonly webSockets: number;
  readonly authenticated: number;
  readonly keepAvailable: boolean;
  readonly bufferedToPeers: number;
  readonly bufferedToKeep: number;
}

export function createCounters(): GateCounters {
  return {
    handshakes: 0,
    handshakesFailed: 0,
    upgrades: 0,
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    linkWrites: 0,
    linkReads: 0,
    keepConnects: 0,
    keepLosses: 0,
    ended: Object.fromEntries(END_REASONS.map((reason) => [reason, 0])) as Record<EndReason, number>,
  };
}

export function renderMetrics(counters: GateCounters, gauges: GateGauges): string {
  const lines: string[] = [];
  const metric = (
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    values: readonly (readonly [labels: string, value: number])[],
  ): void => {
    lines.push(`# HELP keepwatch_gate_${name} ${help}`, `# TYPE keepwatch_gate_${name} ${type}`);
    for (const [labels, value] of values) lines.push(`keepwatch_gate_${name}${labels} ${value}`);
  };
  const gauge = (name: string, help: string, value: number) => metric('gauge', name, help, [['', value]]);
  const counter = (name: string, help: string, value: number) => metric('counter', name, help, [['', value]]);

  gauge('connections', 'TCP connections, half-open ones included.', gauges.connections);
  gauge('websockets', 'Open WebSocket connections.', gauges.webSockets);
  gauge('authenticated', 'Connections that the keep has authenticated.', gauges.authenticated);
  gauge('keep_available', 'Whether a keep is connected.', gauges.keepAvailable ? 1 : 0);
  metric('gauge', 'buffered_bytes', 'Bytes that wait to be read.', [
    ['{by="peers"}', gauges.bufferedToPeers],
    ['{by="keep"}', gauges.bufferedToKeep],
  ]);
  metric('counter', 'handshakes_total', 'TLS handshakes.', [
    ['{result="ok"}', counters.handshakes],
    ['{result="failed"}', counters.handshakesFailed],
  ]);
  counter('upgrades_total', 'WebSocket upgrades.', counters.upgrades);
  metric('counter', 'frames_total', 'WebSocket messages.', [
    ['{direction="in"}', counters.framesIn],
    ['{direction="out"}', counters.framesOut],
  ]);
  metric('counter', 'bytes_total', 'Bytes of WebSocket messages.', [
    ['{direction="in"}', counters.bytesIn],
    ['{direction="out"}', counters.bytesOut],
  ]);
  metric('counter', 'link_operations_total', 'Writes to and reads from keep: frames per operation is the batch.', [
    ['{direction="in"}', counters.linkWrites],
    ['{direction="out"}', counters.linkReads],
  ]);
  counter('keep_connects_total', 'Times that a keep was connected.', counters.keepConnects);
  counter('keep_losses_total', 'Times that the keep went away.', counters.keepLosses);
  metric(
    'counter',
    'ended_total',
    'Connections that gate refused or ended, by reason.',
    END_REASONS.map((reason) => [`{reason="${reason}"}`, counters.ended[reason]] as const),
  );
  return `${lines.join('\n')}\n`;
}
