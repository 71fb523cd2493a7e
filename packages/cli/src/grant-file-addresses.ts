import { CodedError, toHex } from '@keepwatch/base';
import { addressBytes } from '@keepwatch/sdk';

/** Members of a grant that hold addresses, or assets, which end with one. Texts and names are left as they are. */
const ADDRESSES = ['recipients', 'spenders', 'contracts', 'contract', 'accounts', 'delegates', 'addresses'];
const ASSETS = ['asset', 'assets', 'unlimited'];

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const ASSET = /^(erc20|erc721|erc1155):(0x[0-9a-fA-F]{40})(\/.*)?$/;

/**
 * A file of grants in the vault's form, in which addresses have no capitals: those of a checksum (EIP-55) have to fit. What is
 * no address is left for the file's own check. Error code `grant_invalid`.
 */
export function withoutChecksums(file: unknown): unknown {
  return mapMembers(file, (name, text) => {
    if (ADDRESSES.includes(name) && ADDRESS.test(text)) return lower(text);
    const asset = ASSETS.includes(name) ? ASSET.exec(text) : null;
    return asset ? `${asset[1]}:${lower(asset[2]!)}${asset[3] ?? ''}` : text;
  });
}

/** Texts below a value, each with the name of the member that it stands in, by itself or in a list. */
function mapMembers(value: unknown, map: (member: string, text: string) => string, member = ''): unknown {
  if (typeof value === 'string') return map(member, value);
  if (Array.isArray(value)) return value.map((each) => mapMembers(each, map, member));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapMembers(each, map, name)]));
}

function lower(address: string): string {
  const bytes = addressBytes(address);
  if (bytes) return `0x${toHex(bytes)}`;
  throw new CodedError('grant_invalid', `A grant of the file is not valid: the checksum of ${address} does not fit.`, {
    remedy: 'Copy the address again; a mistyped letter changes the checksum that the capitals make.',
  });
}
