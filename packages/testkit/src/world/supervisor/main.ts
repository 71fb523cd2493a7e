import { supervise } from '@keepwatch/gate';

// A supervisor in a process of its own, as `keepwatch vault run` is one, which tests can watch and kill: options as JSON
// on the command line, events as lines of JSON on stdout. It ends with the test that started it, however that one ends.
const options = JSON.parse(process.argv[2]!) as Omit<Parameters<typeof supervise>[0], 'onEvent'>;
const supervisor = supervise({
  ...options,
  onEvent: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
});
// Once nobody reads them, events are lost, and the vault still ends in good order.
process.stdout.on('error', () => void supervisor.stop());
process.stdin.on('end', () => void supervisor.stop()).resume();
await supervisor.ended;
process.exit();
