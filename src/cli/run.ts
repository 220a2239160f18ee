import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { registerClientCommands } from './client-commands.ts';
import { registerDeviceCommands } from './device-commands.ts';
import { registerLicenseCommands } from './license-commands.ts';
import { registerProviderCommands } from './provider-commands.ts';
import { registerReportCommands } from './report-commands.ts';
import { registerServerCommands } from './server-commands.ts';
import { CommandError, FAILURE, reasonOf, WRONG_USAGE, type Terminal } from './terminal.ts';
import { registerTierCommands } from './tier-commands.ts';
import { registerTokenCommands } from './token-commands.ts';
import { registerWebhookCommands } from './webhook-commands.ts';

/** The whole CLI. What a command needs beyond commander it loads when it runs: `license list` loads no gateway. */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command('licensify')
    .description('Keeps provider API keys on the server: licenses, devices, quotas and a streaming gateway.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
    })
    .showHelpAfterError('(licensify --help shows what there is)')
    .addHelpText(
      'after',
      `
The administration commands speak to the admin API of a running gateway:
  LICENSIFY_URL   where it is; by default http://localhost with this machine's PORT (8080)
  ADMIN_TOKEN     its token; by default the one in DATA_DIR (./data/admin-token)

Example:
  $ licensify license create --email ada@example.com --name "Ada Lovelace" --tier pro`,
    );
  registerServerCommands(program, terminal);
  registerLicenseCommands(program, terminal);
  registerDeviceCommands(program, terminal);
  registerTierCommands(program, terminal);
  registerReportCommands(program, terminal);
  registerTokenCommands(program, terminal);
  registerClientCommands(program, terminal);
  registerWebhookCommands(program, terminal);
  registerProviderCommands(program, terminal);
  return program;
}

/**
 * Carries out one command line and tells the terminal its exit code: 0, 1 for a failure, 2 for wrong usage.
 * @param args without the names of Node.js and the script
 */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<void> {
  try {
    await buildProgram(terminal).parseAsync(args, { from: 'user' });
  } catch (error) {
    // Commander has printed its own already, and calls a wish for help an error too.
    if (error instanceof CommanderError) {
      terminal.exit(error.exitCode === 0 ? 0 : WRONG_USAGE);
      return;
    }
    terminal.complain(reasonFor(error));
    terminal.exit(error instanceof CommandError ? error.exitCode : FAILURE);
  }
}

/** A CommandError says all that there is to say; its cause is for debuggers. */
function reasonFor(error: unknown): string {
  return error instanceof CommandError ? error.message : reasonOf(error);
}
