import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { registerServerCommands } from './cli/server-commands.ts';
import type { Terminal } from './cli/terminal.ts';
import { version } from './version.ts';

/** The only user of process.argv, process.env, signals and exit codes: everything else gets them from here. */
const terminal: Terminal = {
  environment: () => {
    // Variables that are set already win over the file's.
    if (existsSync('.env')) process.loadEnvFile('.env');
    return process.env;
  },
  print: (text) => process.stdout.write(`${text}\n`),
  complain: (text) => process.stderr.write(`${text}\n`),
  isInteractive: process.stdout.isTTY,
  exit: (code) => (process.exitCode = code),
  onStop: (stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(signal));
  },
};

const program = new Command('licensify')
  .description('Keeps provider API keys on the server: licenses, devices, quotas and a streaming gateway.')
  .version(version)
  .showHelpAfterError('(licensify --help shows what there is)');
registerServerCommands(program, terminal);

try {
  await program.parseAsync();
} catch (error) {
  terminal.complain(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
