import { faultsOf, runMemoryTest } from './memory-test.ts';

// `npm run test:memory`: reads the whole memory of a working vault's processes and looks for every secret in it.
const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

if (process.platform !== 'linux' || process.getuid?.() !== 0) {
  process.stdout.write(
    'The memory test reads other processes’ memory: it runs on Linux, as root. Nothing was tested.\n',
  );
  process.exit(77);
}
const report = await runMemoryTest({
  signatures: 1_000,
  onMoment({ when, process: name, needles, scan }) {
    const size = `${mebibytes(scan.scannedBytes)}, and ${mebibytes(scan.guardedBytes)} guarded`;
    const found = `${scan.exposed.length} exposed, ${scan.guarded.length} in guarded pages`;
    process.stdout.write(`${when}: ${name}: ${size}; ${needles} needles; found ${found}\n`);
  },
});
process.stdout.write(`secrets: ${report.secrets.join(', ')}\n`);
const faults = faultsOf(report);
for (const fault of faults) process.stdout.write(`FAULT ${fault}\n`);
process.stdout.write(`${report.moments.length} scans, ${report.secrets.length} secrets, ${faults.length} faults\n`);
process.exit(faults.length === 0 ? 0 : 1);
