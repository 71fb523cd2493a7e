import type { Answer, Context } from '../command.ts';
import { readJsonFile } from '../json-file.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';

const WITHOUT = 'No heartbeat is sent. Channels are asked every six hours whether they can be reached.';

export async function scheduleApply(context: Context, file: string, place: MonitorPlace): Promise<Answer> {
  const schedule = await readJsonFile(file);
  return withMonitor(context, place, async (api) => ({
    json: await api.call('schedule.apply', { schedule }),
    text: 'The schedule holds from now on.',
  }));
}

export function scheduleShow(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => {
    const shown = (await api.call('schedule.show')) as { readonly schedule: unknown; readonly version: number };
    const words = shown.schedule === null ? WITHOUT : JSON.stringify(shown.schedule, null, 2);
    return { json: shown, text: `${words}\nVersion ${shown.version}.` };
  });
}

export function scheduleClear(context: Context, place: MonitorPlace): Promise<Answer> {
  return withMonitor(context, place, async (api) => ({ json: await api.call('schedule.clear'), text: WITHOUT }));
}
