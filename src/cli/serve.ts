import { mask } from '../config-secrets.ts';
import type { Config, ProviderName } from '../config.ts';
import { startGateway, type Gateway } from '../gateway.ts';
import { createLogger, type Logger } from '../observe/log.ts';
import { version } from '../version.ts';
import { adminTokenFile, adminTokenFor } from './admin-token.ts';
import { sourceOf } from './environment.ts';
import { reloadTiers } from './reload-tiers.ts';
import { configuredTiers, settings } from './settings.ts';
import { CommandError, reasonOf, type Terminal } from './terminal.ts';

/** `licensify serve`: the gateway, until it is asked to stop. */
export async function serve(terminal: Terminal, { json }: { json: boolean }): Promise<void> {
  const config = settings(terminal);
  const tiers = configuredTiers(config);
  const log = logger(terminal, config, json);
  // Asked for before the start, so that a stop in its midst is no sudden end: it comes right after.
  const stopped = new Promise<string>((resolve) => terminal.onStop(resolve));
  const gateway = await start({ config, tiers, log, adminToken: adminTokenFor(config) });
  terminal.onReload(() => void reloadTiers(gateway, config, log));
  if (json || !terminal.isInteractive) logStart(log, config, gateway);
  if (config.redisUrl === undefined && config.databaseUrl !== undefined) {
    log.warn('without REDIS_URL each instance counts for itself: run one only, or set REDIS_URL');
  }
  if (!json) terminal.complain(welcome(terminal, config, gateway));
  void stopped.then((signal) => stop(gateway, log, signal, terminal));
}

/** For a log collector; a person gets the page. */
function logStart(log: Logger, config: Config, gateway: Gateway): void {
  const { url, internalUrl, stores } = gateway;
  const { proxyMode } = config;
  const providers = {
    openai: keyState(config, gateway, 'openai'),
    anthropic: keyState(config, gateway, 'anthropic'),
  };
  log.info({ version, url, internalUrl, ...stores, providers, proxyMode }, 'listening');
}

/** JSON lines, which a terminal gets in a form for people unless it asks for them. */
function logger(terminal: Terminal, { logLevel }: Config, json: boolean): Logger {
  const asLines = { write: (line: string) => terminal.print(line.trimEnd()) };
  return json && terminal.isInteractive ? createLogger(logLevel, asLines) : createLogger(logLevel);
}

async function start(options: Parameters<typeof startGateway>[0]): Promise<Gateway> {
  try {
    return await startGateway(options);
  } catch (error) {
    throw new CommandError(`The gateway did not start: ${reasonOf(error)}`, { cause: error });
  }
}

async function stop(gateway: Gateway, log: Logger, signal: string, terminal: Terminal): Promise<void> {
  log.info({ signal }, 'stopping: no new requests; those under way may finish');
  await gateway.close();
  log.info('stopped');
  terminal.exit(0);
}

/** What a person wants to know at the start: where it listens, what it uses, what to do next. */
function welcome(terminal: Terminal, config: Config, gateway: Gateway): string {
  const { url, internalUrl, stores } = gateway;
  const keys = config.proxyMode
    ? [
        `    OpenAI key           ${keyState(config, gateway, 'openai')}`,
        `    Anthropic key        ${keyState(config, gateway, 'anthropic')}`,
      ]
    : [
        `    direct mode          hands out PROTECTED_API_KEY ${mask(config.protectedApiKey ?? '')}; /proxy is off`,
      ];
  return [
    '',
    `  Licensify ${version} is listening on ${url}`,
    `    metrics and health   ${internalUrl}/metrics, /health/ready`,
    `    licenses             ${stores.database}`,
    `    counters             ${stores.counters}`,
    ...keys,
    `    admin token          ${adminTokenState(config)}`,
    '',
    `  Next: ${nextSteps(terminal, config, gateway).join('\n        ')}`,
    '',
  ].join('\n');
}

function keyState({ providerKeys }: Config, gateway: Gateway, provider: ProviderName): string {
  const used = gateway.providerKeys.inForce().find((inForce) => inForce.provider === provider)?.key;
  if (used?.source === 'admin') return `${used.fingerprint}, stored through the admin API`;
  const source = providerKeys[provider];
  if (source === undefined) return `not set (${provider.toUpperCase()}_API_KEY)`;
  const shown = used === undefined ? 'not set yet' : mask(source.value);
  return 'file' in source ? `${shown} from ${source.file}` : shown;
}

function adminTokenState(config: Config): string {
  if (config.adminToken !== undefined) return 'set (ADMIN_TOKEN)';
  return config.databaseUrl === undefined
    ? `in ${adminTokenFile(config.dataDir)}`
    : 'ADMIN_TOKEN is not set: the admin API takes stored tokens alone';
}

function nextSteps(terminal: Terminal, config: Config, { url, providerKeys }: Gateway): string[] {
  const { adminToken, databaseUrl, proxyMode } = config;
  if (adminToken === undefined && databaseUrl !== undefined) {
    return ['put ADMIN_TOKEN into .env (openssl rand -hex 32 makes one) and start again'];
  }
  const variables = variablesForCli(terminal, url).map((assignment) => `${assignment} `);
  const create = `${variables.join('')}npx licensify license create --email you@example.com --name You --tier pro`;
  const hasKey = providerKeys.inForce().length > 0;
  return hasKey || !proxyMode
    ? [create]
    : [
        'put OPENAI_API_KEY or ANTHROPIC_API_KEY into .env and start again; then, in another terminal,',
        create,
      ];
}

/** What the CLI in another terminal has to be told: what this process knows from elsewhere than `.env`. */
function variablesForCli(terminal: Terminal, url: string): string[] {
  const { DATA_DIR, ADMIN_TOKEN_FILE } = terminal.environment();
  const variables: string[] = [];
  const { port } = new URL(url);
  if (sourceOf(terminal, 'PORT') !== '.env' && port !== '8080') {
    variables.push(`LICENSIFY_URL=http://localhost:${port}`);
  }
  if (sourceOf(terminal, 'ADMIN_TOKEN') === 'environment') variables.push('ADMIN_TOKEN=…');
  else if (ADMIN_TOKEN_FILE) variables.push(`ADMIN_TOKEN_FILE=${ADMIN_TOKEN_FILE}`);
  else if (DATA_DIR) variables.push(`DATA_DIR=${DATA_DIR}`);
  return variables;
}
