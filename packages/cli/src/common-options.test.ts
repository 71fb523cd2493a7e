import { describe, expect, it } from 'vitest';
import { takeCommonOptions } from './common-options.ts';

const usage = (code: string) => expect.objectContaining({ code: `usage_${code}` }) as Error;

describe('takeCommonOptions', () => {
  it('finds them before and after the command', () => {
    expect(takeCommonOptions(['--json', 'vault', '--home=/h', 'status', '--profile', 'p'])).toEqual({
      json: true,
      help: false,
      home: '/h',
      profile: 'p',
      rest: ['vault', 'status'],
    });
  });

  it('leaves everything after -- alone', () => {
    expect(takeCommonOptions(['wallet', 'create', '--', '--json']).rest).toEqual(['wallet', 'create', '--', '--json']);
  });

  it.each([
    [['--home'], 'option_needs_value'],
    [['--home='], 'option_needs_value'],
    [['--home', '--json'], 'option_needs_value'],
    [['--json=1'], 'option_without_value'],
    [['--home', 'a', '--home', 'b'], 'option_repeated'],
    [['--profile', '../../etc'], 'profile_name'],
    [['--profile', '-x'], 'option_needs_value'],
  ])('%j → %s', (args, code) => expect(() => takeCommonOptions(args)).toThrow(usage(code)));
});
