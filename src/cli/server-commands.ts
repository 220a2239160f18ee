import type { Command } from 'commander';
import { addCommand } from './command.ts';
import type { Terminal } from './terminal.ts';

interface JsonOption {
  json?: boolean;
}

/** The commands for the machine of a gateway. Each loads what it needs when it runs: a gateway takes its time. */
export function registerServerCommands(program: Command, terminal: Terminal): void {
  addCommand(program, {
    usage: 'serve',
    description: 'starts the gateway',
    json: 'log JSON lines on a terminal too, and print nothing else',
    examples: ['serve', 'serve --json | tee gateway.log'],
  }).action(async ({ json }: JsonOption) => {
    const { serve } = await import('./serve.ts');
    await serve(terminal, { json: json === true });
  });
  addCommand(program, {
    usage: 'config',
    description: 'prints the settings in force, secrets masked, and where each comes from',
    examples: ['config', 'config --json'],
  }).action(async ({ json }: JsonOption) => {
    const { showConfig } = await import('./show-config.ts');
    showConfig(terminal, { json: json === true });
  });
  addCommand(program, {
    usage: 'migrate',
    description:
      "brings the database up to date; serve does it too, so this is for a deployment's first step",
    examples: ['migrate', 'migrate --json'],
  }).action(async ({ json }: JsonOption) => {
    const { migrate } = await import('./migrate.ts');
    await migrate(terminal, { json: json === true });
  });
  addCommand(program, {
    usage: 'doctor',
    description: 'looks at settings, stores, clocks, keys and what stands in front, and says what to fix',
    json: 'print every finding as JSON; the exit code is 1 where one failed, either way',
    examples: ['doctor', 'doctor --json | jq \'.findings[] | select(.state != "ok")\''],
  }).action(async ({ json }: JsonOption) => {
    const { doctor } = await import('./doctor.ts');
    await doctor(terminal, { json: json === true });
  });
  addCommand(program, {
    usage: 'demo',
    description: 'shows everything on a throw-away gateway with simulated providers, and stays up',
    json: 'print each step as a line of JSON',
    examples: ['demo'],
  }).action(async ({ json }: JsonOption) => {
    const { demo } = await import('./demo.ts');
    await demo(terminal, { json: json === true });
  });
}
