import { CodedError, directoryFault } from '@keepwatch/base';
import { parseGateArguments } from './config.ts';
import { supplyKeep } from './keep-source.ts';
import { createLog } from './log.ts';
import { createGate } from './server.ts';

// Gate's process: reads its command line, opens the listener, and takes the link to keep from wherever that comes.
const args = process.argv.slice(2);
let dataDir = '';
try {
  await run();
} catch (cause) {
  const error = directoryFault(dataDir, cause) ?? (cause as Error);
  const { message } = error;
  const { code, remedy } = error instanceof CodedError ? error : { code: 'internal_error', remedy: undefined };
  createLog('info').error({ code, remedy, error: message }, 'gate could not start');
  // The supervisor, where there is one, tells people.
  if (process.send && error instanceof CodedError) {
    await new Promise((resolve) => process.send!({ type: 'failed', code, message, remedy }, resolve));
  }
  process.exit(1);
}

async function run(): Promise<void> {
  const config = parseGateArguments(args);
  dataDir = config.gate.dataDir;
  const log = createLog(config.logLevel);
  const gate = await createGate({ log, onKeepLost: () => supply.lost() }, config.gate);
  let stopping = false;

  async function stop(why: string, exitCode: number): Promise<void> {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'shutting down');
    supply.stop();
    await gate.close();
    process.exit(exitCode);
  }

  const supply = supplyKeep(config.keep, {
    log,
    attach: (socket) => gate.attachKeep(socket),
    gone: (why) => void stop(why, 1),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal, 0));

  const listening = { address: gate.address, metricsAddress: gate.metricsAddress, tls: gate.tlsFingerprint() };
  log.info(listening, 'gate is listening');
  process.send?.({ type: 'listening', ...listening });
}
