import { closeSync, openSync, readSync } from 'node:fs';
import { CodedError } from '@keepwatch/base';
import { usageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/**
 * Secrets come from a person who types them unseen, from a file or from standard input; never from an argument or the
 * environment, where other processes could read them. They are byte strings, so that they can be wiped.
 */

/** 4 KiB: no password, key or mnemonic is longer. */
const MAX_BYTES = 4_096;
const MIN_NEW_PASSWORD_BYTES = 12;

export interface SecretSource {
  /** What is asked for, such as “Password of the vault”. */
  readonly prompt: string;
  /** The option that names a file instead, such as `--password-file`. */
  readonly option: string;
  /** The value of that option; `-` is standard input. */
  readonly file: string | undefined;
}

/** The secret's bytes, without the line feed at the end. The caller wipes them. */
export async function readSecret(terminal: Terminal, source: SecretSource): Promise<Uint8Array> {
  const secret = source.file === undefined ? await ask(terminal, source, source.prompt) : readFile(source);
  if (secret.length === 0) throw usageError('secret_empty', `${source.prompt}: nothing was given.`);
  return secret;
}

/** A password that is being chosen: long enough, and typed twice where a person types it. */
export async function readNewPassword(terminal: Terminal, source: SecretSource): Promise<Uint8Array> {
  const password = await readSecret(terminal, source);
  try {
    if (password.length < MIN_NEW_PASSWORD_BYTES) {
      throw usageError(
        'password_short',
        `The password is shorter than ${MIN_NEW_PASSWORD_BYTES} characters.`,
        'Whoever gets a copy of the data can try passwords on it at leisure: choose several random words.',
      );
    }
    if (source.file === undefined) await confirm(terminal, source, password);
    return password;
  } catch (error) {
    password.fill(0);
    throw error;
  }
}

async function confirm(terminal: Terminal, source: SecretSource, password: Uint8Array): Promise<void> {
  const again = await ask(terminal, source, 'The same again');
  const same = Buffer.compare(password, again) === 0;
  again.fill(0);
  if (!same) throw usageError('passwords_differ', 'The two passwords differ.', 'Start again.');
}

function readFile(source: SecretSource): Uint8Array {
  const held = Buffer.alloc(MAX_BYTES + 1);
  try {
    const length = readUpTo(source.file!, held);
    if (length > MAX_BYTES) throw usageError('secret_long', `${source.option}: more than ${MAX_BYTES} bytes.`);
    const end = held[length - 1] === 0x0a ? (held[length - 2] === 0x0d ? length - 2 : length - 1) : length;
    return Uint8Array.from(held.subarray(0, end));
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw usageError(
      'secret_file',
      `${source.option}: ${source.file} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      'Check the path and its permissions.',
    );
  } finally {
    held.fill(0);
  }
}

function readUpTo(file: string, held: Buffer): number {
  const descriptor = file === '-' ? 0 : openSync(file, 'r');
  try {
    let length = 0;
    for (;;) {
      const count = readOnce(descriptor, held, length);
      if (count === 0 || (length += count) === held.length) return length;
    }
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

/** A pipe that was set to non-blocking by another process says EAGAIN instead of waiting. */
function readOnce(descriptor: number, held: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(descriptor, held, at, held.length - at, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EOF') return 0;
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

async function ask(terminal: Terminal, source: SecretSource, prompt: string): Promise<Uint8Array> {
  if (!terminal.interactive || !terminal.input.setRawMode) {
    throw usageError(
      'no_terminal',
      `${source.prompt} is needed, and there is no terminal to ask on.`,
      `Give ${source.option} FILE, or ${source.option} - to read it from standard input.`,
    );
  }
  terminal.errors.write(`${prompt}: `);
  terminal.input.setRawMode(true);
  try {
    return await typeUnseen(terminal);
  } finally {
    terminal.input.setRawMode(false);
    terminal.input.pause();
    terminal.errors.write('\n');
  }
}

const KEY = { interrupt: 3, endOfInput: 4, backspace: 8, lineFeed: 10, enter: 13, clear: 21, delete: 127 };

/** Collects what is typed until Enter, in raw mode. Bytes live in one buffer that is wiped. */
function typeUnseen(terminal: Terminal): Promise<Uint8Array> {
  const held = new Uint8Array(MAX_BYTES);
  let length = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const finish = (settle: () => void) => {
    terminal.input.removeListener('data', onData);
    settle();
    held.fill(0);
  };
  const erase = () => {
    // One character of UTF-8: its continuation bytes (10xxxxxx) and the byte before them.
    while (length > 0 && (held[--length]! & 0xc0) === 0x80);
  };
  const onByte = (byte: number): boolean => {
    if (byte === KEY.enter || byte === KEY.lineFeed || byte === KEY.endOfInput) {
      finish(() => resolve(held.slice(0, length)));
      return true;
    }
    if (byte === KEY.interrupt) {
      finish(() => reject(new CodedError('interrupted', 'Interrupted.')));
      return true;
    }
    if (byte === KEY.backspace || byte === KEY.delete) erase();
    else if (byte === KEY.clear) length = 0;
    else if (byte >= 0x20 && length < MAX_BYTES) held[length++] = byte;
    return false;
  };
  function onData(chunk: Buffer) {
    // A typed line may hold the start of the next answer only if it was pasted; what follows Enter is dropped.
    for (const byte of chunk) if (onByte(byte)) break;
    chunk.fill(0);
  }
  terminal.input.on('data', onData);
  terminal.input.resume();
  return promise;
}
