import { parseArgs } from 'node:util';
import { printFigure, type Figure } from './figure.ts';
import { measureFilter } from './filter.ts';
import { measureMerkle } from './merkle.ts';
import { measurePolicy } from './policy.ts';
import { measureScan } from './scan.ts';
import { measureSigning } from './sign.ts';
import { measureSync } from './sync.ts';
import { measureVault } from './vault.ts';
import { measureWatch } from './watch.ts';

/** `npm run bench -- [--only policy,sign] [--json]`: figures of this machine, each beside what it is compared with. */
const SUBJECTS: Record<string, () => AsyncGenerator<Figure>> = {
  policy: measurePolicy,
  sign: measureSigning,
  vault: measureVault,
  scan: measureScan,
  filter: measureFilter,
  merkle: measureMerkle,
  sync: measureSync,
  watch: measureWatch,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(SUBJECTS).join(',') },
    json: { type: 'boolean', default: false },
  },
});
for (const name of values.only.split(',')) {
  const measure = Object.hasOwn(SUBJECTS, name) ? SUBJECTS[name] : undefined;
  if (!measure) {
    console.error(`--only: “${name}” is none of ${Object.keys(SUBJECTS).join(', ')}.`);
    process.exit(64);
  }
  for await (const figure of measure()) printFigure(figure, values.json);
}
