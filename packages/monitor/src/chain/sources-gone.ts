import type { Engine } from '../engine/engine.ts';

/** Sources that the watch knows of and that are configured no longer: nobody waits for them any more. */
export async function tellSourcesGone(
  engine: Engine,
  configured: ReadonlySet<string>,
  isOurs: (source: string) => boolean,
): Promise<void> {
  for (const source of [...engine.state.watch.sources.keys()]) {
    if (configured.has(source) || !isOurs(source)) continue;
    await engine.submit({ room: 'watch', input: { kind: 'source-gone', source } });
  }
}
