import type { Command } from 'commander';
import type { Terminal } from './terminal.ts';
import { serve } from './serve.ts';

/** The commands for the machine of a gateway. */
export function registerServerCommands(program: Command, terminal: Terminal): void {
  program
    .command('serve')
    .description('starts the gateway')
    .addHelpText('after', '\nExample:\n  $ PORT=8080 OPENAI_API_KEY=sk-… licensify serve')
    .action(() => serve(terminal));
}
