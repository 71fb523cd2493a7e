import type { HeaderChain, Scanner } from '@keepwatch/bitcoin';
import { createScanPace } from '../scan-pace.ts';
import type { ScanEvent, ScanRequest } from '../source.ts';
import type { ServerSession } from './backend.ts';
import { confirmedAt } from './block-matches.ts';
import { createHistories } from './histories.ts';

/**
 * Past blocks. The server has an index, so one question for each script answers it, and only blocks with a match are
 * looked at; each of those is proved.
 */
export async function* scanBy(
  session: ServerSession,
  chain: HeaderChain,
  scanner: Scanner,
  request: ScanRequest,
  signal: AbortSignal,
  nowMs: () => number,
): AsyncGenerator<ScanEvent, void, undefined> {
  const histories = createHistories(scanner);
  histories.watchScripts(request.scripts, 0);
  histories.watchOutpoints(request.outpoints ?? [], 0);
  const tip = chain.tip().height;
  const from = Math.max(request.from, chain.root.height + 1);
  const to = Math.min(request.to ?? tip, tip);
  const pace = createScanPace(from, to, nowMs);
  await histories.refresh(session, tip);
  for (let height = from; height <= to; height++) {
    if (signal.aborted) return;
    const block = chain.at(height)!;
    const matches = await confirmedAt(session, histories, scanner, block);
    if (matches.length > 0) yield { kind: 'match', block, matches };
    const progress = pace(height);
    if (progress) yield progress;
  }
}
