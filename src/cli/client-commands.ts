import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Licensify, Provider } from '../../clients/typescript/src/index.ts';
import { addCommand, addGroup } from './command.ts';
import { printFields, printJson } from './tables.ts';
import { CommandError, reasonOf, UsageError, type Terminal } from './terminal.ts';

interface ClientOptions {
  json?: boolean;
  url?: string;
  allowHttp?: boolean;
}

interface ActivateOptions extends ClientOptions {
  licenseKeyFile?: string;
  hardwareId?: string;
}

export interface ChatOptions extends ClientOptions {
  provider: Provider;
  model?: string;
  maxTokens?: number;
}

const KEY_IN_ARGUMENTS =
  'A license key is not taken from the command line, which every user of this machine can read, and the shell ' +
  'remembers: leave it out and type it when asked, or use --license-key-file.';

/** `licensify client …`: what an application does on a customer's machine, as a working example of it. */
export function registerClientCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(
    program,
    'client',
    "activates a license on this machine and calls a provider with it, as a customer's application does",
    'chat',
  );
  registerActivate(group, terminal);
  registerCheck(group, terminal);
  registerChat(group, terminal);
}

function registerActivate(group: Command, terminal: Terminal): void {
  const command = addCommand(group, {
    usage: 'activate',
    description:
      'activates a license on this machine; its key is asked for, or read from a file or standard input',
    examples: [
      'client activate --url https://licenses.example.com',
      'client activate --license-key-file license.txt',
      'client activate --license-key-file - <license.txt',
    ],
  })
    .option('--license-key-file <file>', 'holds the license key; - is standard input')
    .option(
      '--hardware-id <id>',
      "what this machine is called; default: derived from its operating system's own id",
    );
  // Commander would repeat what is too much, and that may be a license key.
  withGateway(command.allowExcessArguments()).action(async (options: ActivateOptions, { args }: Command) => {
    if (args.length > 0) throw new UsageError(KEY_IN_ARGUMENTS);
    const client = await clientFor(terminal, options);
    const licenseKey = await readLicenseKey(terminal, options.licenseKeyFile);
    const activation = await told(client.activate(licenseKey, options.hardwareId));
    if (options.json === true) return printJson(terminal, { url: client.url, ...activation });
    printFields(terminal, [
      ['Gateway', client.url],
      ['Customer', activation.customerName],
      ['Tier', activation.tier],
      ['Device', activation.hardwareId],
      ['Daily limit', limitText(activation.dailyLimit)],
      ['Monthly limit', limitText(activation.monthlyLimit)],
      ['Expires', activation.expiresAt?.toISOString() ?? 'never'],
    ]);
  });
}

function registerCheck(group: Command, terminal: Terminal): void {
  const command = addCommand(group, {
    usage: 'check',
    description: 'shows the state of the license on this machine; exit code 1 where it is not valid',
    examples: ['client check', 'client check --json'],
  });
  withGateway(command).action(async (options: ClientOptions) => {
    const client = await clientFor(terminal, options);
    const state = await told(client.check());
    if (!state.valid) terminal.exit(1);
    if (options.json === true) return printJson(terminal, { url: client.url, ...state });
    printFields(terminal, [
      ['Gateway', client.url],
      ['Valid', state.valid ? 'yes' : `no: ${state.reason ?? 'the gateway does not say why'}`],
      ['Tier', state.tier],
      ['Today', `${state.usageToday} of ${limitText(state.dailyLimit)}`],
      ['This month', `${state.usageThisMonth} of ${limitText(state.monthlyLimit)}`],
      ['Resets', state.resetAt.toISOString()],
      ['Expires', state.expiresAt?.toISOString() ?? 'never'],
    ]);
  });
}

function registerChat(group: Command, terminal: Terminal): void {
  const command = addCommand(group, {
    usage: 'chat',
    description:
      'asks a model and prints its answer as it comes; without words a conversation, or standard input',
    json: 'print each piece of the answer as a line of JSON, as it comes',
    examples: [
      'client chat "What is a license?"',
      'client chat --provider anthropic --model claude-3-5-haiku-latest "Hello!"',
      'client chat --json <question.txt',
    ],
  })
    .argument('[words...]', 'what to say')
    .addOption(new Option('--provider <provider>').choices(['openai', 'anthropic']).default('openai'))
    .option('--model <model>', 'default: gpt-4o-mini, or claude-3-5-haiku-latest')
    .option('--max-tokens <number>', 'the length of the answer at most', positive);
  withGateway(command).action(async (words: string[], options: ChatOptions) => {
    const { chatWith } = await import('./client-chat.ts');
    await chatWith(terminal, await clientFor(terminal, options), words.join(' '), options);
  });
}

function withGateway(command: Command): Command {
  return command
    .option('--url <url>', 'where the gateway is; default: LICENSIFY_URL, else http://localhost:8080')
    .option('--allow-http', 'speak http to another machine, though keys then travel in the clear');
}

/** The client on this machine's files. `.env` is a server's: what is in it does not matter here. */
async function clientFor(terminal: Terminal, { url, allowHttp }: ClientOptions): Promise<Licensify> {
  const { Licensify } = await import('../../clients/typescript/src/index.ts');
  const { fileStore } = await import('../../clients/typescript/src/file-store.ts');
  const env = terminal.environment();
  const given = url ?? env.LICENSIFY_URL;
  try {
    return new Licensify({
      url: given === undefined || given === '' ? 'http://localhost:8080' : given,
      app: 'cli',
      store: fileStore({ app: 'cli', env }),
      allowHttp: allowHttp ?? false,
    });
  } catch (error) {
    throw new UsageError(reasonOf(error).replace('allowHttp', '--allow-http'));
  }
}

/** Not from the command line, which every user of the machine can read while it runs, and the shell remembers. */
async function readLicenseKey(terminal: Terminal, file: string | undefined): Promise<string> {
  const key = (await licenseKeyText(terminal, file)).trim();
  if (key === '') throw new UsageError('There is no license key there.');
  if (/\s/.test(key)) throw new UsageError('That is more than a license key.');
  return key;
}

async function licenseKeyText(terminal: Terminal, file: string | undefined): Promise<string> {
  if (file === undefined && terminal.ask !== undefined) return terminal.ask('License key: ');
  if (file === undefined || file === '-') return terminal.readInput();
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** What the client reports, in its own words alone, and what to type. */
export async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw asCommandError(error);
  }
}

export function asCommandError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error && 'requestId' in error)) return error;
  const hint = ['not_activated', 'store_damaged'].includes(String(error.code))
    ? ': licensify client activate'
    : '';
  const id = typeof error.requestId === 'string' ? ` (request ${error.requestId})` : '';
  return new CommandError(error.message.replace(/: (?:call activate\(|activate again).*/, '') + hint + id, {
    cause: error,
  });
}

function limitText(limit: number | null): string {
  return limit === null ? 'unlimited' : String(limit);
}

function positive(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It takes a whole number from 1.');
}
