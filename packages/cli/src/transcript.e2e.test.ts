import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, createCommandLine, environmentOf, type CommandLine } from './fixtures/command-line.ts';

/** What a person or a script sees, letter for letter. */

let cli: CommandLine;
beforeAll(async () => {
  cli = await createCommandLine();
});
afterAll(() => cli.remove());

const HASH = 'A'.repeat(43);
/** Nobody listens on port 1. */
const NOWHERE = `keepwatch://127.0.0.1:1?tls=${HASH}&id=${HASH}`;

describe('mistakes on the command line', () => {
  it.each<[string, readonly string[], string]>([
    [
      'a mistyped noun',
      ['valut', 'status'],
      `keepwatch: There is no command “valut”.
  Did you mean “vault”?
  (usage_unknown_command)
`,
    ],
    [
      'a mistyped verb',
      ['vault', 'unsael'],
      `keepwatch: There is no command “vault unsael”.
  Did you mean “vault unseal”?
  (usage_unknown_command)
`,
    ],
    [
      'a mistyped option',
      ['grant', 'create', '--cleint', 'bot'],
      `keepwatch: There is no option --cleint here.
  Did you mean --client?
  (usage_unknown_option)
`,
    ],
    [
      'a limit without a unit',
      ['grant', 'create', '--client', 'a', '--wallet', 'b', '--chain', '1', '--to', 'any', '--volume', '2/1d'],
      `keepwatch: --volume: “2” is no amount.
  Write a number and its unit, such as 2eth, 0.05eth, 30gwei or 7wei; ether has at most 18 decimals.
  (usage_amount)
`,
    ],
    [
      'a grant to nobody in particular',
      ['grant', 'create', '--client', 'a', '--wallet', 'b', '--chain', '1', '--volume', '2eth/1d'],
      `keepwatch: --to is missing.
  Name the addresses, or say \`any\`.
  (usage_option_missing)
`,
    ],
    [
      'a grant without a limit',
      ['grant', 'create', '--client', 'a', '--wallet', 'b', '--chain', '1', '--to', 'any'],
      `keepwatch: --volume is missing.
  Every grant has a limit of volume, such as 2eth/1d.
  (usage_option_missing)
`,
    ],
    [
      'an address with a wrong letter',
      [
        'grant',
        'create',
        '--client',
        'a',
        '--wallet',
        'b',
        '--chain',
        '1',
        '--to',
        '0x70997970c51812dc3A010C7d01b50e0d17dc79C8',
      ],
      `keepwatch: --to: “0x70997970c51812dc3A010C7d01b50e0d17dc79C8” is no address, or its checksum does not fit.
  Copy it again; a mistyped letter changes the checksum that the capitals make.
  (usage_address)
`,
    ],
    [
      'a connection string that was cut',
      ['operator', 'join', 'keepwatch://vault.example:7401?tls=abc'],
      `keepwatch: The connection string is not valid: tls is not the base64url of 32 bytes.
  Copy it again, whole, and put it in single quotes: it holds an &.
  (usage_connection)
`,
    ],
    [
      'a password that nobody can be asked for',
      ['vault', 'unseal'],
      `keepwatch: Password of the vault is needed, and there is no terminal to ask on.
  Give --password-file FILE, or --password-file - to read it from standard input.
  (usage_no_terminal)
`,
    ],
    [
      'a file that is not there',
      ['vault', 'unseal', '--password-file', 'nowhere'],
      `keepwatch: --password-file: nowhere cannot be read (ENOENT).
  Check the path and its permissions.
  (usage_secret_file)
`,
    ],
    [
      'a secret on its way to something that is no terminal',
      ['wallet', 'backup', 'main'],
      `keepwatch: The secret would go to something that is no terminal.
  Give --out FILE, or --out - if that is meant.
  (usage_no_terminal)
`,
    ],
  ])('%s', (_, args, err) => {
    expect(cli.run(args)).toEqual({ code: 2, out: '', err });
  });

  it('takes no password from the command line, whatever the option is called', () => {
    for (const option of ['--password', '--pass', '--passphrase', '--pw']) {
      expect(cli.fails('vault', 'unseal', option, 'correct horse')).toEqual({ code: 2, error: 'usage_unknown_option' });
    }
  });

  it('refuses a new password that is short, and wants one input for one password', () => {
    const short = cli.run(['vault', 'init', '--password-file', '-'], 'hunter2\n');
    expect([short.code, short.err.includes('(usage_password_short)')]).toEqual([2, true]);
    const twice = ['vault', 'password', '--password-file', '-', '--new-password-file', '-'];
    expect(cli.fails(...twice)).toEqual({ code: 2, error: 'usage_stdin_twice' });
  });
});

describe('JSON', () => {
  it('errors are one document on stderr, and stdout stays empty', () => {
    const { code, out, err } = cli.run(['valut', '--json']);
    expect([code, out]).toEqual([2, '']);
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'usage_unknown_command',
        message: 'There is no command “valut”.',
        remedy: 'Did you mean “vault”?',
      },
    });
  });

  it('answers are one document on stdout', () => {
    expect(cli.json('version')).toMatchObject({ keepwatch: '0.1.0', node: expect.stringMatching(/^26\./) });
  });
});

describe('exit codes', () => {
  it('tell apart what a script has to tell apart', () => {
    expect(cli.run(['help']).code).toBe(0);
    expect(cli.fails('vault', 'status')).toEqual({ code: 1, error: 'not_joined' });
    expect(cli.fails('operator', 'join', NOWHERE)).toEqual({ code: 4, error: 'connection_failed' });
    const forged = join(cli.directory, 'forged.json');
    writeFileSync(forged, '{"seq":1}');
    const args = ['journal', 'check-receipt', forged, '--receipt-key', HASH];
    expect(cli.fails(...args)).toEqual({ code: 5, error: 'receipt_malformed' });
  });

  it('says nothing about a stack, unless somebody debugs', () => {
    const plain = cli.run(['vault', 'status']);
    expect(plain.err).not.toMatch(/\n\s+at /);
    const env = { ...environmentOf(cli.directory), KEEPWATCH_DEBUG: '1' };
    const debugged = spawnSync(process.execPath, [BIN, 'vault', 'status'], { env, encoding: 'utf8' });
    expect(debugged.stderr).toMatch(/\n\s+at /);
  });
});

describe('help', () => {
  it('names every command, every option of one, and is reached in three ways', () => {
    const general = cli.run([]).out;
    for (const noun of [
      'vault run',
      'operator join',
      'client sign',
      'wallet create',
      'grant create',
      'journal verify',
    ]) {
      expect(general).toContain(`  ${noun}`);
    }
    const asked = cli.run(['help', 'grant', 'create']);
    expect(asked).toEqual(cli.run(['grant', 'create', '--help']));
    expect(asked.out).toContain('--volume AMOUNT/TIME …');
    expect(cli.run(['grant']).out).toContain('keepwatch grant revoke GRANT');
  });

  it('has no colour codes where nobody looks', () => {
    expect(cli.run(['help']).out).not.toContain('\u001b');
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasScript)('on a terminal (util-linux script)', () => {
  type Typing = readonly (readonly [prompt: string, typed: string])[];

  /** A pseudo-terminal: each text is typed once its prompt is there. What comes back is all that a person sees. */
  async function onTerminal(
    command: string,
    typing: Typing,
    environment: Record<string, string> = {},
  ): Promise<string> {
    const env = { ...environmentOf(cli.directory), TERM: 'xterm', ...environment };
    const args = ['--quiet', '--return', '--echo', 'never', '--command', command, '/dev/null'];
    const child = spawn('script', args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    const left = [...typing];
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      const [next] = left;
      if (!next || !seen.endsWith(`${next[0]}: `)) return;
      left.shift();
      // The prompt is written just before the terminal stops echoing.
      setTimeout(() => child.stdin.write(next[1]), 200);
    });
    await once(child, 'exit');
    expect(left).toEqual([]);
    return seen.replaceAll('\r\n', '\n');
  }
  const init = () => `${process.execPath} ${BIN} --home ${cli.directory}/nobody vault init`;
  const FIRST = 'New password for the vault';
  const SECOND = 'The same again';

  it('asks twice for a new password and shows nothing of it', async () => {
    const typing = [
      [FIRST, 'correct horse battery\r'],
      [SECOND, 'correct horse batterx\r'],
    ] as const;
    expect(await onTerminal(init(), typing, { NO_COLOR: '1' })).toBe(`${FIRST}: 
${SECOND}: 
keepwatch: The two passwords differ.
  Start again.
  (usage_passwords_differ)
`);
  });

  it('lets a person correct what was typed', async () => {
    const typing = [
      [FIRST, 'wrong\u0015correct horseé\u007f batteryx\u007f\r'],
      [SECOND, 'correct horse battery\r'],
    ] as const;
    // Both agree, and so the next thing that is missing is a vault.
    expect(await onTerminal(init(), typing)).toContain('(not_joined)');
  });

  it('stops at Ctrl-C', async () => {
    expect(await onTerminal(`${init()}; echo code $?`, [[FIRST, 'corr\u0003']])).toContain('code 130');
  });

  it('has colours, unless NO_COLOR is set', async () => {
    const help = `${process.execPath} ${BIN} help`;
    expect(await onTerminal(help, [])).toContain('\u001b[');
    expect(await onTerminal(help, [], { NO_COLOR: '1' })).not.toContain('\u001b[');
  });
});

describe('the Node that runs it', () => {
  const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return /^v(1[89]|2[0-5])\./.test(stdout ?? '');
  });

  it.skipIf(!old)('is the bundled one where the machine’s is older', () => {
    const { stdout, status } = spawnSync(old!, [BIN, 'version'], {
      env: environmentOf(cli.directory),
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('(node 26.')]);
    const failed = spawnSync(old!, [BIN, 'valut'], { env: environmentOf(cli.directory), encoding: 'utf8' });
    expect(failed.status).toBe(2);
  });
});
