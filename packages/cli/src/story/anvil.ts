import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CodedError } from '@keepwatch/base';
import { startChild, type Child } from '@keepwatch/devnet';

/** A chain of its own: Foundry's anvil on loopback, on a port that is free. */
export interface Anvil {
  readonly url: string;
  readonly process: Child;
  /** A call of its JSON-RPC. Anvil's first account is unlocked, so it can give ether away. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export async function startAnvil(environment: Readonly<Record<string, string | undefined>>): Promise<Anvil> {
  const process = startChild(anvilBinary(), ['--host', '127.0.0.1', '--port', '0', '--chain-id', '31337'], environment);
  for (let line = await process.nextLine(); line !== undefined; line = await process.nextLine()) {
    const port = /Listening on 127\.0\.0\.1:([0-9]+)/.exec(line)?.[1];
    if (port === undefined) continue;
    void drain(process);
    return createAnvil(`http://127.0.0.1:${port}`, process);
  }
  throw new CodedError('anvil_failed', `Anvil did not start. ${process.lastErrors()}`);
}

/** Anvil writes a line for each call: where nobody reads them, it stops when the pipe is full. */
async function drain(process: Child): Promise<void> {
  while ((await process.nextLine()) !== undefined);
}

function createAnvil(url: string, process: Child): Anvil {
  return {
    url,
    process,
    async call(method, params) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) });
      const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } };
      if (error) throw new CodedError('anvil_refused', `Anvil refused ${method}: ${error.message}.`);
      return result;
    },
  };
}

/** The binary itself and not its wrapper, which would not pass a signal on. */
function anvilBinary(): string {
  const { platform, arch } = process;
  const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json');
  const name = `@foundry-rs/anvil-${platform}-${ARCHITECTURES[arch] ?? arch}/package.json`;
  try {
    return join(dirname(createRequire(wrapper).resolve(name)), 'bin', 'anvil');
  } catch (cause) {
    throw new CodedError('anvil_missing', `There is no anvil for ${platform}-${arch} here.`, {
      cause,
      remedy: 'Run `npm ci --ignore-scripts` once more, with optional dependencies.',
    });
  }
}
