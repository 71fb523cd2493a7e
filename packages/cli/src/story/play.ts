import { CodedError } from '@keepwatch/base';
import type { Screen } from './screen.ts';
import type { Stage } from './stage.ts';
import { vaultScenes, type VaultEnding } from './vault-scenes.ts';
import { watchScenes, type WatchEnding } from './watch-scenes.ts';

/** Begins a step. One that does not go as it must ends the story, by its name. */
export type Step = (title: string) => void;

export interface Ending extends VaultEnding, WatchEnding {}

/** The story, part by part. Throws `story_failed`, which names the step. */
export async function play(stage: Stage, screen: Screen): Promise<Ending> {
  let title = 'the beginning';
  const step = (words: string) => {
    title = words;
    screen.step(words);
  };
  async function parts(): Promise<Ending> {
    screen.heading('The keep', 'a vault that signs only what its owner allowed');
    const vault = await vaultScenes(stage, screen, step);
    screen.heading('The watch', 'a monitor that tells what happens to a bitcoin wallet, each finding once');
    return { ...vault, ...(await watchScenes(stage, screen, step, vault)) };
  }
  try {
    return await Promise.race([parts(), stage.broken]);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CodedError('story_failed', `The story failed at “${title}”: ${words}`, { cause });
  }
}
