import { Option, type Command } from 'commander';
import { queryOf, runningGateway, type RunningGateway } from './admin-api.ts';
import { etag, licenseId, limit, moment, orNull, pageSize, time } from './arguments.ts';
import { addCommand, addGroup } from './command.ts';
import { registerEndingCommands } from './license-endings.ts';
import { changeStatus, licenseDetails } from './license-calls.ts';
import { nameOf, printDevices, printLicense, printLicenses } from './license-view.ts';
import type { LicenseJson } from './license-view.ts';
import { printJson, tellOfMore, type Page } from './tables.ts';
import { UsageError, type Terminal } from './terminal.ts';

interface JsonOption {
  json?: boolean;
}

/** What a license is made of and can be changed to. */
interface LicenseOptions extends JsonOption {
  email?: string;
  name?: string;
  tier?: string;
  expiresAt?: string;
  dailyLimit?: number | 'tier';
  monthlyLimit?: number | 'tier';
  maxActivations?: number | 'tier';
}

/** `licensify license …`. */
export function registerLicenseCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'license', 'makes, shows and changes licenses');
  registerCreate(group, terminal);
  registerList(group, terminal);
  registerShow(group, terminal);
  registerUpdate(group, terminal);
  registerSuspend(group, terminal);
  registerReinstate(group, terminal);
  registerEndingCommands(group, terminal);
}

function registerCreate(group: Command, terminal: Terminal): void {
  const command = addCommand(group, {
    usage: 'create',
    description: 'makes a license and prints its key, once',
    examples: [
      'license create --email ada@example.com --name "Ada Lovelace" --tier pro',
      'license create --email ada@example.com --name Ada --tier pro --daily-limit 50 --expires-at 2027-01-31',
    ],
  })
    .requiredOption('--email <email>', "the customer's e-mail address")
    .requiredOption('--name <name>', "the customer's name")
    .requiredOption(
      '--tier <tier>',
      'what the customer bought: free, pro, enterprise, or a tier of TIERS_FILE',
    );
  limitOptions(command).action(async (options: LicenseOptions) => {
    const gateway = runningGateway(terminal);
    const made = (await gateway.admin('POST', '/licenses', fieldsOf(options))) as {
      license: LicenseJson;
      license_key: string;
    };
    if (options.json === true) printJson(terminal, made);
    else terminal.print(newLicenseText(made.license, made.license_key, gateway));
  });
}

function newLicenseText(license: LicenseJson, licenseKey: string, { url }: RunningGateway): string {
  const body = JSON.stringify({ license_key: licenseKey, hardware_id: 'my-laptop' });
  return [
    `Made license ${license.id} for ${nameOf(license)}, tier ${license.tier}:`,
    '',
    `  ${licenseKey}`,
    '',
    'The key is shown only now: what is kept of it is a hash. Next, activate it on a device:',
    '',
    `  curl ${url}/activate -H 'Content-Type: application/json' -d '${body}'`,
  ].join('\n');
}

function registerList(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'list',
    description: 'lists licenses, the newest first',
    examples: ['license list', 'license list --status suspended --json'],
  })
    .option('--tier <tier>', 'those of this tier alone')
    .addOption(
      new Option('--status <status>', 'those in this state alone').choices([
        'active',
        'suspended',
        'revoked',
        'expired',
      ]),
    )
    .option('--email <email>', 'those of this customer alone')
    .option('--expires-before <time>', 'those that end before a time or a UTC day', time)
    .option('--limit <number>', 'how many at most, 1 to 200', pageSize, 50)
    .option('--cursor <cursor>', 'go on where a list before ended')
    .action(async ({ json, ...filter }: JsonOption & Record<string, string | number>) => {
      const path = `/licenses?${queryOf(filter)}`;
      const page = (await runningGateway(terminal).admin('GET', path)) as Page<LicenseJson>;
      if (json === true) return printJson(terminal, page);
      if (page.data.length === 0) return terminal.complain('There are no such licenses.');
      printLicenses(terminal, page.data);
      tellOfMore(terminal, page);
    });
}

function registerShow(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'show',
    description: 'shows a license with its devices and what it used',
    examples: ['license show lic_0123456789abcdef01234567'],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .action(async (id: string, { json }: JsonOption) => {
      const details = await licenseDetails(runningGateway(terminal), id);
      if (json === true) return printJson(terminal, { license: details });
      printLicense(terminal, details, details);
      if (details.devices.length > 0) printDevices(terminal, details.devices);
    });
}

function registerUpdate(group: Command, terminal: Terminal): void {
  const command = addCommand(group, {
    usage: 'update',
    description: 'changes what is named; it is in force within a second',
    examples: [
      'license update lic_0123456789abcdef01234567 --daily-limit 2000',
      'license update lic_0123456789abcdef01234567 --tier enterprise --daily-limit tier --expires-at never',
    ],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .option('--email <email>', "the customer's e-mail address")
    .option('--name <name>', "the customer's name")
    .option('--tier <tier>', 'another tier')
    .option('--if-match <version>', 'only if it still has the version that "license show" told', etag);
  limitOptions(command).action(async (id: string, options: LicenseOptions & { ifMatch?: string }) => {
    const fields = fieldsOf(options);
    if (Object.keys(fields).length === 0) {
      throw new UsageError(
        'Name something to change, such as --daily-limit 2000 (--help shows what there is).',
      );
    }
    const gateway = runningGateway(terminal);
    const headers = options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch };
    const changed = (await gateway.admin('PATCH', `/licenses/${id}`, fields, headers)) as {
      license: LicenseJson;
    };
    if (options.json === true) printJson(terminal, changed);
    else printLicense(terminal, changed.license);
  });
}

function registerSuspend(group: Command, terminal: Terminal): void {
  registerStatusChange(group, terminal, {
    verb: 'suspend',
    description: 'stops a license until it is reinstated, and cuts its open streams',
    done: 'is suspended: its keys stop working within a second.',
  });
}

function registerReinstate(group: Command, terminal: Terminal): void {
  registerStatusChange(group, terminal, {
    verb: 'reinstate',
    description: 'lets a suspended license work again',
    done: 'is reinstated: its keys work again within a second.',
  });
}

function registerStatusChange(
  group: Command,
  terminal: Terminal,
  { verb, description, done }: { verb: string; description: string; done: string },
): void {
  addCommand(group, {
    usage: verb,
    description,
    examples: [`license ${verb} lic_0123456789abcdef01234567`],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .action(async (id: string, { json }: JsonOption) => {
      const changed = await changeStatus(runningGateway(terminal), id, verb);
      if (json === true) printJson(terminal, changed);
      else terminal.print(`License ${id} of ${nameOf(changed.license)} ${done}`);
    });
}

function limitOptions(command: Command): Command {
  return command
    .option('--expires-at <time>', 'a time, a UTC day (its beginning), or never', moment)
    .option('--daily-limit <requests>', 'requests a UTC day: a number, unlimited, or tier', limit)
    .option('--monthly-limit <requests>', 'requests a UTC month: a number, unlimited, or tier', limit)
    .option('--max-activations <devices>', 'devices: a number, unlimited, or tier', limit);
}

/** The admin API's fields for what was named; what was not is left out. */
function fieldsOf(options: LicenseOptions): object {
  const fields = {
    email: options.email,
    name: options.name,
    tier: options.tier,
    expires_at: orNull(options.expiresAt),
    daily_limit: orNull(options.dailyLimit),
    monthly_limit: orNull(options.monthlyLimit),
    max_activations: orNull(options.maxActivations),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
