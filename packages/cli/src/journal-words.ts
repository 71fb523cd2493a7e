import { showTime } from './values.ts';

/** One line for an entry of the journal: when, what, and the facts that an owner looks for. */
export function describeEntry(seq: number, entry: Readonly<Record<string, unknown>>): string {
  const at = typeof entry['at'] === 'number' ? showTime(entry['at']) : '';
  const type = String(entry['type']);
  return `${String(seq).padStart(6)}  ${at}  ${type.padEnd(20)}  ${factsOf(type, entry)}`.trimEnd();
}

function factsOf(type: string, entry: Readonly<Record<string, unknown>>): string {
  switch (type) {
    case 'request.permitted':
      return `${text(entry, 'grant')}: ${text(entry, 'asks')}, nonce ${text(entry, 'nonce')}`;
    case 'request.denied':
      return Array.isArray(entry['sentences']) ? entry['sentences'].join(' ') : '';
    case 'vault.unsealed':
      return `time zones of ${text(entry, 'zones')}`;
    case 'peer.registered':
      return named(entry['peer']);
    case 'wallets.added':
      return Array.isArray(entry['wallets']) ? entry['wallets'].map(named).join(', ') : '';
    default:
      return ['name', 'peer', 'wallet', 'grant', 'reason', 'chain', 'floor']
        .filter((member) => typeof entry[member] === 'string' || typeof entry[member] === 'number')
        .map((member) => `${member} ${text(entry, member)}`)
        .join(', ');
  }
}

const text = (entry: Readonly<Record<string, unknown>>, member: string) => String(entry[member] ?? '');

function named(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  const { name, role, address } = value as Readonly<Record<string, unknown>>;
  return [role, `“${String(name)}”`, address].filter((part) => part !== undefined).join(' ');
}
