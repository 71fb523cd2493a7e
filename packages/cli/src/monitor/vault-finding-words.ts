import { laterKind, type VaultDetailJson } from './finding-json.ts';

/** What a vault signed and what it did not, and how it stands with it, in one line of a table. */
export function vaultFindingWords(detail: VaultDetailJson): string {
  switch (detail.kind) {
    case 'signed-spend':
      return `the vault “${detail.vault}” signed ${spendOf(detail)}: grant ${detail.grant}, entry ${detail.permit}`;
    case 'unsigned-spend':
      return `THE VAULT DID NOT SIGN ${spendOf(detail)} (${detail.why})`;
    case 'unclear-spend': {
      const maybe = detail.maybe.map(({ permit }) => String(permit)).join(', ');
      const how = maybe === '' ? 'compare it with what you know of' : `compare it with entry ${maybe}`;
      return `IT IS NOT KNOWN WHETHER THE VAULT SIGNED ${spendOf(detail)} (${detail.why}): ${how}`;
    }
    case 'earlier-spends':
      return `${detail.address} spent ${detail.count} times before the vault “${detail.vault}” had its key: who signed that, it cannot say`;
    case 'sealed-spend':
      return `THE VAULT WAS SEALED AND HAD NOT SIGNED ${spendOf(detail)} (${detail.why}): unless you have unsealed it since, somebody else has the key`;
    case 'signed-unseen': {
      const what = `what “${detail.vault}” signed for nonce ${detail.nonce} (entry ${detail.permit})`;
      return detail.over ? `${what} is on the chain, or its nonce is used up` : `${what} is not on the chain`;
    }
    case 'spend-withdrawn':
      return 'a spend that was compared with the vault left the chain again: what was said of it no longer holds';
    case 'vault-silent':
      return `vault silent, spend unexplained: ${spendOf(detail)}; ${detail.words}`;
    case 'vault-down':
    case 'vault-sealed':
    case 'vault-rolled-back':
    case 'vault-forked':
    case 'vault-withholds':
      return standing(detail);
    default:
      return laterKind(detail);
  }
}

type Standing = Extract<VaultDetailJson, { readonly over: boolean; readonly words: string }>;

/** How a vault stands, and that it is over. */
const STANDINGS: Readonly<Record<Standing['kind'], readonly [is: string, over: string]>> = {
  'vault-down': ['does not answer', 'answers again'],
  'vault-sealed': ['is sealed', 'is unsealed'],
  'vault-rolled-back': ['SHOWS AN OLDER JOURNAL THAN THE ONE THAT WAS KNOWN', 'has its journal again'],
  'vault-forked': ['SHOWS ANOTHER JOURNAL THAN THE ONE THAT WAS KNOWN', 'shows the journal again that was known'],
  'vault-withholds': ['GIVES ANSWERS THAT DO NOT HOLD', 'gives answers that hold again'],
};

function standing({ kind, vault, words, over }: Standing): string {
  const [is, ended] = STANDINGS[kind];
  if (over) return `the vault “${vault}” ${ended}`;
  return `the vault “${vault}” ${is}${words === '' ? '' : `: ${words}`}`;
}

/** A spend of an EVM account: its transaction, where one is known. */
const spendOf = ({ txHash }: { readonly txHash: string | null }) =>
  txHash === null ? 'the spend' : `the spend by ${txHash.slice(0, 14)}…`;
