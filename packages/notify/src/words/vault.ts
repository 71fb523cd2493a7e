import { assertNever, formatUnits } from '@keepwatch/base';
import type { FindingDetail, SpendFacts, VaultFindingDetail } from '@keepwatch/watch';
import { cleanLabel } from './clean.ts';
import { WAYS } from './evm.ts';
import { retracted, secondOf } from './measure.ts';

/** Findings about what a vault signed, and what it did not, in words. */
const KINDS: readonly FindingDetail['kind'][] = [
  ...(['signed-spend', 'unsigned-spend', 'unclear-spend', 'sealed-spend', 'vault-silent', 'spend-withdrawn'] as const),
  ...(['signed-unseen', 'earlier-spends'] as const),
  ...(['vault-down', 'vault-sealed', 'vault-rolled-back', 'vault-forked', 'vault-withholds'] as const),
] satisfies readonly VaultFindingDetail['kind'][];

export function isVault(detail: FindingDetail): detail is VaultFindingDetail {
  return KINDS.includes(detail.kind);
}

export function vaultHeadline(detail: VaultFindingDetail): string {
  switch (detail.kind) {
    case 'signed-spend':
      return detail.amends === null ? 'the vault signed this spend' : 'the vault signed this spend after all';
    case 'unsigned-spend':
      return 'THE VAULT DID NOT SIGN THIS SPEND: somebody else has the key, or a right that was never given';
    case 'unclear-spend':
      return 'IT IS NOT KNOWN WHETHER THE VAULT SIGNED THIS SPEND: compare it with what was signed';
    case 'sealed-spend':
      return 'THE VAULT WAS SEALED AND HAD NOT SIGNED THIS SPEND: unless you have unsealed it since, somebody else has the key';
    case 'signed-unseen':
      return detail.over
        ? 'what the vault signed is on the chain, or its nonce is used up'
        : 'what the vault signed is not on the chain';
    case 'earlier-spends':
      return 'this account was used before the vault had its key: who else has it?';
    case 'vault-silent':
      return 'vault silent, spend unexplained: it does not say whether it signed it';
    case 'spend-withdrawn':
      return 'a spend that was compared with the vault left the chain again';
    case 'vault-down':
      return `the vault “${cleanLabel(detail.vault)}” ${detail.over ? 'answers again' : 'does not answer'}`;
    case 'vault-sealed':
      return `the vault “${cleanLabel(detail.vault)}” is ${detail.over ? 'unsealed' : 'sealed'}`;
    case 'vault-rolled-back':
      return detail.over ? 'the vault’s journal goes on' : 'AN OLDER DATABASE OF THE VAULT WAS PUT BACK';
    case 'vault-forked':
      return detail.over ? 'the vault’s journal fits again' : 'THE VAULT’S JOURNAL IS NOT THE ONE THAT WAS KNOWN';
    case 'vault-withholds':
      return detail.over ? 'the vault’s answers hold again' : 'what the vault answers does not hold';
    default:
      return assertNever(detail);
  }
}

export function vaultParticulars(detail: VaultFindingDetail): string[] {
  switch (detail.kind) {
    case 'signed-spend':
      return [
        ...facts(detail),
        `Signed: by the vault “${cleanLabel(detail.vault)}”, grant ${cleanLabel(detail.grant)}, entry ${detail.permit}`,
        BY[detail.by],
      ];
    case 'unsigned-spend':
      return [...facts(detail), WHY[detail.why], ...knownOf(detail)];
    case 'unclear-spend':
      return [
        ...facts(detail),
        UNCLEAR[detail.why],
        ...detail.maybe.map(({ vault, permit }) => `It may be by: entry ${permit} of “${cleanLabel(vault)}”`),
        ...knownOf(detail),
      ];
    case 'sealed-spend':
      return [
        ...facts(detail),
        WHY[detail.why],
        ...detail.since.map(
          ({ vault, seq, atMs }) =>
            `Known: every permit of “${cleanLabel(vault)}” up to entry ${seq}, when it was sealed (heard ${secondOf(atMs)}); it does not answer any more`,
        ),
        'An operator who has unsealed it since then may have had this signed: the vault says so when it answers again.',
      ];
    case 'signed-unseen':
      return [
        `Account: ${detail.address}`,
        `Nonce: ${detail.nonce}`,
        `Signed: by the vault “${cleanLabel(detail.vault)}”, grant ${cleanLabel(detail.grant)}, entry ${detail.permit}`,
        ...(detail.over
          ? []
          : ['Whoever has the signed transaction can send it as long as this nonce is not used up.']),
      ];
    case 'earlier-spends':
      return [
        `Account: ${detail.address}`,
        `Spends from before ${secondOf(detail.sinceMs)}, when the vault “${cleanLabel(detail.vault)}” got the key: ${detail.count}`,
        'Who signed these cannot be said by the vault. Whoever had the key then may have it still.',
      ];
    case 'vault-silent':
      return [...facts(detail), cleanLabel(detail.words, 512)];
    case 'spend-withdrawn':
      return [retracted(detail.retracts)];
    case 'vault-down':
    case 'vault-sealed':
    case 'vault-rolled-back':
    case 'vault-forked':
    case 'vault-withholds':
      return [`Vault: ${cleanLabel(detail.vault)}`, ...(detail.words === '' ? [] : [cleanLabel(detail.words, 512)])];
    default:
      return assertNever(detail);
  }
}

function knownOf({ upTo }: Extract<VaultFindingDetail, { readonly upTo: unknown }>): string[] {
  return upTo.map(({ vault, seq, sealed }) => {
    const phase = sealed ? ', and it is sealed' : '';
    return `Known: every permit of “${cleanLabel(vault)}” up to entry ${seq}, asked after the spend${phase}`;
  });
}

type About = Extract<VaultFindingDetail, SpendFacts>;

function facts({ address, token, amount, nonce, how }: About): string[] {
  return [
    `Account: ${address}`,
    `Left: ${token === null ? `${formatUnits(amount, 18)} of the chain’s coin` : `${amount} of the smallest unit of the token ${token}`}, ${WAYS[how]}`,
    ...(nonce === null ? [] : [`Nonce: ${nonce}`]),
  ];
}

const BY = {
  bytes: 'It is the very transaction that was signed.',
  nonce: 'The vault signed a transaction of this nonce; the bytes could not be compared.',
  right: 'Who took it was allowed to by what was signed.',
  'right-of-other': 'What was signed allows somebody to take it; that it was this caller is not proved.',
  delegation: 'The account was handed to other code by what was signed.',
};

const WHY = {
  'no-permit': 'The vault has never permitted it.',
  'other-bytes': 'For this nonce the vault signed something else.',
  'no-allowance': 'Nobody was allowed by the vault to take this token.',
  'more-than-allowed': 'Somebody was allowed to take this token, and not so much.',
  expired: 'Who took it was allowed to by the vault, and not any more: the right had ended.',
};

const UNCLEAR = {
  'other-caller': 'What was signed lets somebody take so much of it; that he is who took it is not proved.',
  unread: 'Nothing that can be read allows it, and something was signed that this monitor cannot read.',
  'later-right':
    'Who took it was allowed to by the vault, but only afterwards, by the clocks of the vault and of the chain.',
  'lost-history':
    'The vault was restored from a backup. What it had signed since then stands in no journal any more, and this may be of it.',
};
