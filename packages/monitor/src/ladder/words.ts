import { assertNever } from '@keepwatch/base';
import { cleanLabel, type AcknowledgeWay, type LadderOrder, type Post, type Privacy } from '@keepwatch/notify';
import type { Finding } from '@keepwatch/watch';
import type { OwnedWallet } from '../evm/owned-wallet.ts';
import { postOf } from '../channels/words.ts';

/** What the ladder wants told, in words at the level of privacy of its channel. */
export function wordsOf(
  order: LadderOrder,
  about: {
    readonly finding: Finding | undefined;
    readonly wallet: OwnedWallet | undefined;
    readonly privacy: Privacy;
    /** Whether what is sent back on the channel is read. */
    readonly sendBack: boolean;
    readonly nowMs: number;
  },
): Post {
  const { privacy, sendBack, nowMs } = about;
  const post: Post = { ...postAbout(about), key: order.key, acknowledgement: null, atMs: nowMs };
  const names = privacy !== 'look';
  switch (order.kind) {
    case 'alert': {
      const { step, who, severity } = order;
      const acknowledgement = { ...order.acknowledgement, sendBack };
      const before =
        step === 0 ? [] : [`Nobody has answered this yet${names ? `: now ${cleanLabel(who)} is asked` : ''}.`];
      return { ...post, severity, acknowledgement, group: null, body: [...before, post.body].join('\n\n') };
    }
    case 'joined': {
      const body = `${post.body}\n\nIt belongs to what waits for an answer already: one answer is for all of it.`;
      return { ...post, severity: order.severity, body };
    }
    case 'acknowledged': {
      const by = names ? ` by ${cleanLabel(order.by)}` : '';
      const way = WAYS[order.way](names && order.viaChannel !== null ? ` of the channel ${order.viaChannel}` : '');
      const ask = 'If that was none of you, somebody else reads your messages: look at the monitor.';
      return {
        ...{ ...post, severity: 'warning', group: null, data: null },
        subject: `Answered${by}: ${post.subject}`,
        body: `Answered${by}, ${way}: ${post.subject}.\n${ask}`,
      };
    }
    case 'exhausted':
      return {
        ...{ ...post, severity: 'critical', group: null },
        subject: `Nobody has answered: ${post.subject}`,
        body: `Everybody was asked, and nobody has answered. Nobody is asked again; the codes and links of the messages before still count.\n\n${post.body}`,
      };
    default:
      return assertNever(order);
  }
}

const WAYS: Readonly<Record<AcknowledgeWay, (of: string) => string>> = {
  link: (of) => `by the link${of}`,
  code: (of) => `by the code${of}`,
  reply: (of) => `by a reply with the code${of}`,
  command: () => 'at the monitor itself',
};

function postAbout({ finding, wallet, privacy, nowMs }: Parameters<typeof wordsOf>[1]): Post {
  if (finding) return postOf(finding, wallet, privacy);
  // Its entry could not be read: better few words than none.
  return {
    ...{ key: '', group: null, severity: 'critical', acknowledgement: null, data: null, atMs: nowMs },
    ...{ subject: 'Keepwatch: something happened', body: 'Something happened: look at the monitor.' },
  };
}
