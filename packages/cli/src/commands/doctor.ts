import type { MethodResult } from '@keepwatch/protocol';
import { CodedError } from '@keepwatch/base';
import { command, type Context } from '../command.ts';
import { withData } from '../directories.ts';
import { checkMachine } from '../machine-checks.ts';
import { readKnownVault } from '../profile.ts';
import { table } from '../table.ts';
import { profileOf, withOperator } from '../vault-session.ts';

type Finding = MethodResult<'doctor.report'>['findings'][number];

export const DOCTOR_COMMAND = command({
  name: 'doctor',
  summary: 'What protects the vault on this machine, what does not, and what to do about it',
  options: { data: { value: 'DIR', words: 'data directory of the vault on this machine' } },
  async run(context, options) {
    const { data } = withData(context.directories, options.data);
    const machine = await checkMachine(data, options.data !== undefined);
    const vault = await askVault(context);
    const findings = [...machine, ...vault];
    const { paint } = context.terminal;
    const marks = { good: paint.good('good   '), warning: paint.warning('warning'), bad: paint.bad('bad    ') };
    const lines = findings.map(({ check, state, words, remedy }) => ({
      row: [marks[state], check, words],
      remedy: state === 'good' ? null : remedy,
    }));
    const rows = table(lines.map(({ row }) => row)).split('\n');
    const text = rows.flatMap((row, i) => {
      const remedy = lines[i]!.remedy;
      return remedy === null ? [row] : [row, paint.quiet(`         ${remedy}`)];
    });
    return { json: { findings }, text: text.join('\n') };
  },
});

/** The keep's own report, where this profile is an operator of a vault that answers. */
async function askVault(context: Context): Promise<readonly Finding[]> {
  if (!(await readKnownVault(profileOf(context, 'operator')))) return [];
  try {
    return await withOperator(context, async (operator) => (await operator.query('doctor.report', {})).findings);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [
      {
        check: 'vault',
        state: 'warning',
        words: `The vault does not report: ${error.message}`,
        remedy: error.remedy ?? null,
      },
    ];
  }
}
