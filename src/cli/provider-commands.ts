import { Argument, type Command } from 'commander';
import { apiKeyPattern, readKeyFile } from '../config-secrets.ts';
import { runningGateway } from './admin-api.ts';
import { addCommand, addGroup } from './command.ts';
import { confirm } from './confirm.ts';
import { printJson, printTable } from './tables.ts';
import { CommandError, reasonOf, type Terminal } from './terminal.ts';

interface ProviderJson {
  provider: string;
  configured: boolean;
  source: string | null;
  fingerprint: string | null;
  since: string | null;
  last_refused_at: string | null;
  replaces: { source: string; fingerprint: string } | null;
}

interface JsonOption {
  json?: boolean;
}

/** `licensify provider …` and `licensify master-key …`. */
export function registerProviderCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'provider', "shows and replaces the providers' real keys");
  registerList(group, terminal);
  registerSetKey(group, terminal);
  registerRemoveKey(group, terminal);
  registerRotate(
    addGroup(program, 'master-key', 'replaces the key that stored secrets are encrypted under', 'rotate'),
    terminal,
  );
}

function registerList(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'list',
    description: 'lists the providers: which key is used, by its fingerprint, and where it comes from',
    examples: ['provider list'],
  }).action(async ({ json }: JsonOption) => {
    const list = (await runningGateway(terminal).admin('GET', '/providers')) as { data: ProviderJson[] };
    if (json === true) return printJson(terminal, list);
    printTable(
      terminal,
      ['provider', 'key', 'from', 'since', 'last refused'],
      list.data.map((row) => [
        row.provider,
        row.fingerprint ?? 'not set',
        row.source ?? '',
        row.since ?? '',
        row.last_refused_at ?? '',
      ]),
    );
  });
}

function registerSetKey(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'set-key',
    description: 'stores a real key, encrypted; every instance uses it within a second',
    examples: [
      'provider set-key openai',
      'provider set-key openai < new-key',
      'provider set-key anthropic --file new-key',
    ],
  })
    .addArgument(providerArgument())
    .option('--file <path>', 'read the key from this file; without it, from standard input')
    .action(async (provider: string, { file, json }: JsonOption & { file?: string }) => {
      const key = file === undefined ? await askForKey(terminal, provider) : keyIn(file);
      const answer = await runningGateway(terminal).admin('PUT', `/providers/${provider}/key`, { key });
      const { provider: state } = answer as { provider: ProviderJson };
      if (json === true) return printJson(terminal, answer);
      terminal.print(`The ${provider} key is ${state.fingerprint} now, on every instance within a second.`);
    });
}

function registerRemoveKey(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'remove-key',
    description: "removes the stored key: the settings' one is used again. Asks first",
    examples: ['provider remove-key openai', 'provider remove-key openai --in-database --yes'],
  })
    .addArgument(providerArgument())
    .option('--yes', 'do not ask: for scripts')
    .option(
      '--in-database',
      'without a gateway, by the settings of this machine: where none starts, since MASTER_KEY is lost',
    )
    .action(async (provider: string, options: JsonOption & { yes?: boolean; inDatabase?: boolean }) => {
      await confirm(terminal, `Remove the stored ${provider} key?`, options);
      if (options.inDatabase === true) {
        const { removeStoredKey } = await import('./remove-stored-key.ts');
        await removeStoredKey(terminal, provider);
        if (options.json === true) printJson(terminal, { removed: true, provider });
        else terminal.print(`The stored ${provider} key is removed from the database.`);
        return;
      }
      const answer = await runningGateway(terminal).admin('DELETE', `/providers/${provider}/key`);
      const { provider: state } = answer as { provider: ProviderJson };
      if (options.json === true) return printJson(terminal, answer);
      terminal.print(
        state.fingerprint === null
          ? `The stored ${provider} key is removed. There is no other: its requests are refused until one is set.`
          : `The stored ${provider} key is removed: ${state.fingerprint} from the ${state.source} is used again.`,
      );
    });
}

function registerRotate(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'rotate',
    description:
      'encrypts every stored secret anew under the first key of MASTER_KEY, so that the others can go',
    examples: ['master-key rotate'],
  }).action(async ({ json }: JsonOption) => {
    const done = (await runningGateway(terminal).admin('POST', '/master-key/rotate')) as {
      master_key: string;
      secrets: number;
      resealed: number;
    };
    if (json === true) return printJson(terminal, done);
    terminal.print(
      `${done.secrets} stored secrets are encrypted under the master key ${done.master_key} now (${done.resealed} were not): ` +
        'the other keys can be taken out of MASTER_KEY.',
    );
  });
}

function providerArgument(): Argument {
  return new Argument('<provider>', 'whose key').choices(['openai', 'anthropic']);
}

async function askForKey(terminal: Terminal, provider: string): Promise<string> {
  const key = await terminal.readSecret(`The ${provider} key (it does not appear): `);
  if (key === '') throw new CommandError('There was no key on standard input. Nothing was changed.');
  if (!apiKeyPattern.test(key))
    throw new CommandError('What came is no key, which has neither spaces nor lines. Nothing was changed.');
  return key;
}

function keyIn(file: string): string {
  try {
    return readKeyFile(file);
  } catch (cause) {
    throw new CommandError(`${file} holds no key: ${reasonOf(cause)}. Nothing was changed.`);
  }
}
