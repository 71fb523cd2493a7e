import packageJson from '../../package.json' with { type: 'json' };
import { command } from '../command.ts';

export const VERSION_COMMAND = command({
  name: 'version',
  summary: 'Versions of Keepwatch and of the Node that runs it',
  run: async () => {
    const { version } = packageJson;
    return {
      json: { keepwatch: version, node: process.versions.node },
      text: `keepwatch ${version} (node ${process.versions.node})`,
    };
  },
});
