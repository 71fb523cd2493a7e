import { basename } from 'node:path';
import { CodedError, fromUtf8 } from '@keepwatch/base';
import {
  earliestHeight,
  labelKey,
  readWalletFile,
  type ImportedLabel,
  type MonitorApi,
  type WalletDetails,
} from '@keepwatch/monitor';
import type { Answer, Context } from '../command.ts';
import { usageError } from '../exit-codes.ts';
import { readBytesFile } from '../json-file.ts';
import { showCount } from '../values.ts';
import type { MonitorPlace } from './options.ts';
import { withMonitor } from './reach.ts';
import { added, birthdayOf, gapLimitOf, networkOf, putWallet, splitTags } from './wallets.ts';

export interface ImportOptions extends MonitorPlace {
  readonly name: string | undefined;
  readonly birthday: string | undefined;
  readonly 'gap-limit': string | undefined;
  readonly tag: readonly string[];
  readonly owner: string | undefined;
  readonly wallet: string | undefined;
}

export async function watchImport(context: Context, file: string, options: ImportOptions): Promise<Answer> {
  const text = textOf(file, await readBytesFile(file));
  const given = options.birthday === undefined ? undefined : birthdayOf(options.birthday);
  const gapLimit = gapLimitOf(options['gap-limit']);
  return withMonitor(context, options, async (api, { start }) => {
    const network = await networkOf(api);
    const read = readWalletFile(text, network);
    if (!read.ok) {
      throw new CodedError(read.error.code, `${file}: ${read.error.words}`, {
        remedy: 'docs/watch.md names the exports that are read, and how each program makes them.',
      });
    }
    const { format, wallets, labels } = read.value;
    if (wallets.length === 0) return importLabels(context, api, format, labels, options.wallet);
    if (options.wallet !== undefined) {
      throw usageError('options_conflict', '--wallet is for files of labels, and this one has wallets.');
    }
    const details: WalletDetails[] = [];
    const notes: string[] = [];
    for (const [i, wallet] of wallets.entries()) {
      const stem =
        options.name ??
        (wallet.name?.trim() ||
          basename(file)
            .replace(/\.[a-z0-9]+$/i, '')
            .trim());
      const descriptors = [...wallet.descriptors, ...wallet.addresses.map((address) => `addr(${address})`)];
      // What another program knows has a past: a coin in it that is not known here could be spent unseen.
      const guessed = given === undefined && wallet.birthday === null ? earliestHeight(descriptors, network) : null;
      if (guessed !== null) {
        notes.push(
          `The file does not say since when the wallet exists: its past is read from block ${guessed} on. A --birthday makes that shorter.`,
        );
      }
      if (gapLimit.gapLimit === undefined && wallet.gapLimit !== null) {
        notes.push(
          `Its gap limit is ${wallet.gapLimit}, so that every address is watched which the other program handed out.`,
        );
      }
      const put = {
        name: wallets.length > 1 && (options.name !== undefined || wallet.name === null) ? `${stem} ${i + 1}` : stem,
        birthday: given === undefined ? (wallet.birthday ?? { height: guessed! }) : given,
        descriptors,
        labels: recordOf(labels),
        tags: splitTags(options.tag),
        ...(wallet.gapLimit === null ? {} : { gapLimit: wallet.gapLimit }),
        ...gapLimit,
        ...(options.owner === undefined ? {} : { owner: options.owner }),
      };
      details.push(await putWallet(api, put));
    }
    const answer = added(context, details, start, given !== null, notes);
    const words = `${file} is ${FORMATS[format]}: ${showCount(wallets.length, 'wallet')}, ${showCount(labels.length, 'label')}.`;
    return { json: { format, labels: labels.length, ...(answer.json as object) }, text: `${words}\n${answer.text}` };
  });
}

/** UTF-8; or UTF-16, which says so by its first two bytes: PowerShell writes what it redirects into a file like that. */
function textOf(file: string, bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  if (isLittle || (first === 0xfe && second === 0xff)) {
    return new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(bytes);
  }
  const text = fromUtf8(bytes);
  if (text !== undefined) return text;
  throw new CodedError('file_malformed', `${file} is no text in UTF-8 or UTF-16.`, {
    remedy: 'Give the file as the other program wrote it.',
  });
}

const FORMATS: Readonly<Record<string, string>> = {
  'bitcoin-core': 'a list of descriptors by Bitcoin Core',
  sparrow: 'an export of Sparrow',
  electrum: 'a file of Electrum',
  specter: 'an export of Specter',
  liana: 'a backup of Liana',
  bip388: 'a wallet policy (BIP388)',
  bip329: 'a file of labels (BIP329)',
  descriptors: 'a list of descriptors',
};

const recordOf = (labels: readonly ImportedLabel[]) =>
  Object.fromEntries(labels.map(({ type, ref, label }) => [labelKey(type, ref), label]));

async function importLabels(
  context: Context,
  api: MonitorApi,
  format: string,
  labels: readonly ImportedLabel[],
  wallet: string | undefined,
): Promise<Answer> {
  if (wallet === undefined) {
    throw usageError(
      'option_missing',
      '--wallet is missing.',
      'The file holds labels alone: name the wallet that they are of.',
    );
  }
  await api.call('wallet.labels', { wallet, labels: recordOf(labels) });
  const text = `${context.terminal.paint.strong(wallet)} has ${showCount(labels.length, 'label')} more.`;
  return { json: { format, wallet, labels: labels.length }, text };
}
