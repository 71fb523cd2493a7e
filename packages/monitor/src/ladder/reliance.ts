import { assertNever } from '@keepwatch/base';
import type { ChannelFacts } from '@keepwatch/notify';
import type { ChannelSettings } from '../channels/settings.ts';

/** What a channel needs to reach its reader: two that share any of it can fail together. */
export function factsOf(settings: ChannelSettings): ChannelFacts {
  const { name, kind, relies } = settings;
  const proxy = 'proxy' in settings && settings.proxy !== undefined ? [`proxy ${settings.proxy}`] : [];
  return { name, kind, relies: [...new Set([...needs(settings), ...proxy, ...relies])] };
}

function needs(settings: ChannelSettings): readonly string[] {
  switch (settings.kind) {
    case 'webhook':
    case 'ntfy':
    case 'matrix':
      return [placeOf(settings.url)];
    case 'email':
      return [placeOf(`smtp://${settings.server}`), provider(settings.to.slice(settings.to.lastIndexOf('@') + 1))];
    case 'telegram':
      return [placeOf(settings.url ?? 'https://api.telegram.org')];
    case 'nostr': {
      // One relay of several may fail.
      const places = new Set(settings.relays.map(placeOf));
      return places.size === 1 ? [...places] : [];
    }
    case 'signal':
      return [placeOf(settings.url), 'signal.org', settings.to];
    case 'sms':
      return [placeOf(settings.url.replace(/\{[a-z]+\}/g, 'x')), settings.to];
    case 'command':
      return [];
    default:
      return assertNever(settings);
  }
}

/** The provider; of this machine itself, the port. */
function placeOf(text: string): string {
  const url = URL.parse(text);
  if (!url) return text;
  const { hostname, host } = url;
  return /^(localhost|127\.|\[::1\])/.test(hostname) ? host : provider(hostname);
}

/** Names under one domain have one owner: the last two labels, or three below such as `co.uk`. Addresses are themselves. */
function provider(host: string): string {
  if (/^[\d.]+$|^\[/.test(host)) return host;
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const isShort = labels.at(-1)!.length === 2 && (labels.at(-2)?.length ?? 9) <= 3;
  return labels.slice(isShort ? -3 : -2).join('.');
}
