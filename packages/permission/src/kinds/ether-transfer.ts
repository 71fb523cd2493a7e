import type { EtherTransferGrant } from '../grant.ts';
import type { EtherTransfer } from '../intent.ts';
import type { KindRules } from './kind.ts';
import { notAmong } from './members.ts';

/** Ether and nothing else, to whom the grant names. */
export const etherTransfer: KindRules<EtherTransferGrant, EtherTransfer> = {
  namesOfGrant: ({ recipients }) => (recipients === 'any' ? ['*'] : recipients),
  namesOfAction: ({ recipient }) => [recipient, '*'],
  coverAction: ({ recipients }, { recipient }) => notAmong(recipients, recipient, 'recipient_not_permitted'),
  coverOutflow: ({ recipients }, { to }) => notAmong(recipients, to, 'recipient_not_permitted'),
  coversOpaque: () => false,
};
