import { CodedError } from '@keepwatch/base';
import {
  beginWalletScan,
  compareScans,
  resumedWalletScan,
  scanWallet,
  type ChainSource,
  type WalletScanState,
} from '@keepwatch/chain';
import type { Answer, Context } from '../command.ts';
import { coinsAnswer } from './coins.ts';
import type { ChainOptions } from './options.ts';
import { createProgress, createRate, type Progress, type Step } from './progress.ts';
import { openScanFile } from './scan-files.ts';
import { chainSettings, withSources } from './settings.ts';
import { synchronise } from './sync.ts';
import { readBeginning, readDescriptors, type Beginning } from './wallet.ts';
import { isP2p } from './watching.ts';

export interface ScanOptions {
  readonly descriptors: readonly string[];
  /** One in each line. */
  readonly descriptorFile: string | undefined;
  /** A height, a day or a time. */
  readonly from: string | undefined;
  readonly gapLimit: number;
  /** Begin at `from`, whatever was looked at before. */
  readonly anew: boolean;
  /** Show spent coins too. */
  readonly spent: boolean;
  readonly patienceMs: number;
}

/** More often, and writing would cost more than looking. */
const SAVE_MS = 500;

/** Looks through past blocks by every source, each as far as its own file says that it has come, and compares them. */
export async function chainScan(context: Context, chosen: ChainOptions, options: ScanOptions): Promise<Answer> {
  const settings = await chainSettings(context, chosen);
  const { network, quorum } = settings.configuration;
  const descriptors = await readDescriptors(options.descriptors, options.descriptorFile, network);
  const beginning = readBeginning(options.from);
  const results = await withSources(context, settings, async (sources, signal) => {
    for (const source of sources.filter(isP2p)) await synchronise(context, source, options.patienceMs, signal);
    const progress = createProgress(context, Date.now);
    const show = slowestOf(progress, sources.length);
    try {
      const runs = sources.map(async (source): Promise<[string, WalletScanState | CodedError]> => {
        const file = openScanFile(settings.data, source.name, descriptors, options.gapLimit, options.from!);
        const kept = options.anew ? undefined : file.read();
        try {
          const begun = kept
            ? resumedWalletScan(kept)
            : beginWalletScan(await heightOf(beginning, source, signal), descriptors);
          const wallet = { descriptors, gapLimit: options.gapLimit, to: null };
          return [source.name, await scanBy(source, wallet, begun, file.write, show, signal)];
        } catch (error) {
          return [source.name, failureOf(source, error)];
        }
      });
      return await Promise.all(runs);
    } finally {
      progress.clear();
    }
  });
  const failed = results.flatMap(([name, result]) => (result instanceof CodedError ? [{ name, error: result }] : []));
  const scans = new Map(results.flatMap(([name, result]) => (result instanceof CodedError ? [] : [[name, result]])));
  const able = quorum.suffices.some((set) => set.every((name) => scans.has(name)));
  if (!able) throw failed[0]!.error;
  for (const { error } of failed) context.note(context.terminal.paintErrors.warning(error.message));
  const compared = compareScans(scans, quorum.suffices);
  return coinsAnswer(context, { settings, descriptors, compared, scans, failed, spent: options.spent });
}

async function scanBy(
  source: ChainSource,
  wallet: Parameters<typeof scanWallet>[1],
  begun: WalletScanState,
  save: (state: WalletScanState) => void,
  show: (source: string, step: Step) => void,
  signal: AbortSignal,
): Promise<WalletScanState> {
  let state = begun;
  let savedMs = 0;
  const rate = createRate(Date.now);
  for await (const progress of scanWallet(source, wallet, begun, signal)) {
    const { done, total } = progress;
    state = progress.state;
    if (Date.now() - savedMs >= SAVE_MS || done === total) {
      savedMs = Date.now();
      save(state);
    }
    // What a start costs, of threads or of a connection, says nothing of how long the rest will take.
    const perSecond = rate(done);
    show(source.name, {
      what: 'blocks',
      done,
      total,
      perSecond,
      etaSeconds: perSecond ? (total - done) / perSecond : null,
    });
  }
  if (state !== begun) save(state);
  return state;
}

const heightOf = (beginning: Beginning, source: ChainSource, signal: AbortSignal): number | Promise<number> =>
  'height' in beginning ? beginning.height : source.heightAt(beginning.timeSeconds, signal);

/** Of several that run side by side, the one that will take longest is what one waits for. */
function slowestOf(progress: Progress, count: number): (source: string, step: Step) => void {
  const steps = new Map<string, Step>();
  return (source, step) => {
    steps.set(source, step);
    if (steps.size < count) return progress.show(step);
    const [name, slowest] = [...steps].reduce((a, b) => (b[1].done / b[1].total < a[1].done / a[1].total ? b : a));
    progress.show(count > 1 ? { ...slowest, what: `blocks (${name})` } : slowest);
  };
}

/** What servers throw has a code of its own; a code of ours says that a source is meant, and which. */
function failureOf(source: ChainSource, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const { code } = error as { readonly code?: unknown };
  // Without a code it is a bug and not an outcome.
  if (!(error instanceof Error) || typeof code !== 'string') throw error;
  return new CodedError('chain_not_reached', `${source.name}: ${error.message}`, {
    cause: error,
    remedy: 'Check the network and the address; `keepwatch chain status` shows each source.',
    details: { source: source.name, problem: code },
  });
}
