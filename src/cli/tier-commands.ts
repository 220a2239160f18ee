import type { Command } from 'commander';
import { runningGateway } from './admin-api.ts';
import { addCommand, addGroup } from './command.ts';
import { amount } from './license-view.ts';
import { printJson, printTable } from './tables.ts';
import { registerTierMigrate } from './tier-migrate.ts';
import { FAILURE, type Terminal } from './terminal.ts';

interface TierJson {
  id: string;
  name: string;
  daily_limit: number;
  monthly_limit: number;
  max_devices: number;
}

/** `licensify tier …`. */
export function registerTierCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'tier', 'shows the tiers and checks a file of them');
  addCommand(group, {
    usage: 'list',
    description: 'lists the tiers on offer: neither hidden nor deprecated',
    examples: ['tier list'],
  }).action(async ({ json }: { json?: boolean }) => {
    const answer = (await runningGateway(terminal).get('/tiers')) as { tiers: TierJson[] };
    if (json === true) printJson(terminal, answer);
    else printTiers(terminal, answer.tiers);
  });
  registerTierMigrate(group, terminal);
  addCommand(group, {
    usage: 'validate',
    description: 'checks a tiers file on this machine, without a gateway',
    examples: ['tier validate tiers.toml'],
  })
    .argument('<file>', 'what TIERS_FILE would name')
    .action((file: string, { json }: { json?: boolean }) => validate(terminal, file, json === true));
}

async function validate(terminal: Terminal, file: string, json: boolean): Promise<void> {
  const { readTiersFile } = await import('../licensing/tiers-file.ts');
  const read = readTiersFile(file);
  if (!read.ok) {
    if (json) printJson(terminal, { valid: false, problems: read.problems });
    else terminal.complain(`The tiers file has problems:\n  ${read.problems.join('\n  ')}`);
    terminal.exit(FAILURE);
    return;
  }
  const tiers = [...read.tiers.values()].map((tier) => ({
    id: tier.id,
    name: tier.name,
    daily_limit: tier.dailyLimit,
    monthly_limit: tier.monthlyLimit,
    max_devices: tier.maxDevices,
  }));
  if (json) {
    printJson(terminal, { valid: true, tiers });
    return;
  }
  printTiers(terminal, tiers);
  terminal.complain(`${file} is valid.`);
}

function printTiers(terminal: Terminal, tiers: TierJson[]): void {
  printTable(
    terminal,
    ['id', 'name', 'per day', 'per month', 'devices'],
    tiers.map((tier) => [
      tier.id,
      tier.name,
      amount(tier.daily_limit),
      amount(tier.monthly_limit),
      amount(tier.max_devices),
    ]),
  );
}
