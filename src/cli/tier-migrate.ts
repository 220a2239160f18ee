import type { Command } from 'commander';
import { runningGateway } from './admin-api.ts';
import { addCommand } from './command.ts';
import { confirm, requireAnswerer } from './confirm.ts';
import { amount } from './license-view.ts';
import { printJson, printTable } from './tables.ts';
import type { Terminal } from './terminal.ts';

interface Limits {
  daily_limit: number;
  monthly_limit: number;
  max_activations: number;
}

interface MigrationJson {
  from: string;
  to: string;
  dry_run: boolean;
  licenses: number;
  examples: { license: string; before: Limits; after: Limits }[];
}

interface Options {
  to?: string;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** `licensify tier migrate`. */
export function registerTierMigrate(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'migrate',
    description: 'moves the licenses of a tier to another one; asks first',
    examples: ['tier migrate starter --dry-run', 'tier migrate starter --to basic --yes'],
  })
    .argument('<from>', 'the tier that they have')
    .option('--to <tier>', "the tier that they get; by default the first one's migrate_to")
    .option('--dry-run', 'only say what would change')
    .option('--yes', 'do not ask: for scripts')
    .action((from: string, options: Options) => migrate(terminal, from, options));
}

async function migrate(terminal: Terminal, from: string, { to, dryRun, yes, json }: Options): Promise<void> {
  const gateway = runningGateway(terminal);
  const call = (isDry: boolean): Promise<MigrationJson> =>
    gateway.admin('POST', `/tiers/${encodeURIComponent(from)}/migrate`, {
      ...(to !== undefined && { to }),
      dry_run: isDry,
    }) as Promise<MigrationJson>;
  if (dryRun !== true) requireAnswerer(terminal, yes);
  if (dryRun === true || yes !== true) {
    const plan = await call(true);
    if (dryRun === true && json === true) {
      printJson(terminal, plan);
      return;
    }
    if (dryRun === true || json !== true) printPlan(terminal, plan);
    if (dryRun === true) return;
    await confirm(terminal, `Move ${licenses(plan)} from ${plan.from} to ${plan.to}?`, { yes });
  }
  const done = await call(false);
  if (json === true) printJson(terminal, done);
  else terminal.print(`${licenses(done)} moved from ${done.from} to ${done.to}.`);
}

function printPlan(terminal: Terminal, plan: MigrationJson): void {
  terminal.print(`${licenses(plan)} would move from ${plan.from} to ${plan.to}, for example:`);
  const change = (before: number, after: number): string =>
    before === after ? amount(before) : `${amount(before)} -> ${amount(after)}`;
  printTable(
    terminal,
    ['license', 'per day', 'per month', 'devices'],
    plan.examples.map(({ license, before, after }) => [
      license,
      change(before.daily_limit, after.daily_limit),
      change(before.monthly_limit, after.monthly_limit),
      change(before.max_activations, after.max_activations),
    ]),
  );
}

function licenses({ licenses: count }: MigrationJson): string {
  return count === 1 ? '1 license' : `${count} licenses`;
}
