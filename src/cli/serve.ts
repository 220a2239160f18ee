import { startGateway, type Gateway } from '../gateway.ts';
import { createLogger, type Logger } from '../observe/log.ts';
import { mask, type Config } from '../config.ts';
import { version } from '../version.ts';
import { adminTokenFile, adminTokenFor } from './admin-token.ts';
import { configuredTiers, settings } from './settings.ts';
import { CommandError, type Terminal } from './terminal.ts';

/** `licensify serve`: the gateway, until it is asked to stop. */
export async function serve(terminal: Terminal): Promise<void> {
  const config = settings(terminal);
  const tiers = configuredTiers(config);
  const log = createLogger(config.logLevel);
  let gateway: Gateway;
  try {
    gateway = await startGateway({ config, tiers, log, adminToken: adminTokenFor(config) });
  } catch (error) {
    throw new CommandError(`The gateway did not start: ${reasonOf(error)}`, { cause: error });
  }
  terminal.onStop((signal) => void stop(gateway, log, signal, terminal));
  announce(terminal, log, config, gateway);
}

async function stop(gateway: Gateway, log: Logger, signal: string, terminal: Terminal): Promise<void> {
  log.info({ signal }, 'stopping: no new requests; those under way may finish');
  await gateway.close();
  log.info('stopped');
  terminal.exit(0);
}

/** For a person a short page, for a log collector one line. */
function announce(terminal: Terminal, log: Logger, config: Config, gateway: Gateway): void {
  const { url, internalUrl, stores } = gateway;
  const providers = { openai: keyState(config, 'openai'), anthropic: keyState(config, 'anthropic') };
  log.info({ version, url, internalUrl, ...stores, providers, proxyMode: config.proxyMode }, 'listening');
  if (config.redisUrl === undefined && config.databaseUrl !== undefined) {
    log.warn('without REDIS_URL each instance counts for itself: run one only, or set REDIS_URL');
  }
  terminal.complain(
    [
      '',
      `  Licensify ${version} is listening on ${url}`,
      `    metrics and health   ${internalUrl}/metrics, /health/ready`,
      `    licenses             ${stores.database}`,
      `    counters             ${stores.counters}`,
      `    OpenAI key           ${providers.openai}`,
      `    Anthropic key        ${providers.anthropic}`,
      `    admin token          ${adminTokenState(config)}`,
      '',
      `  Next: ${nextStep(config)}`,
      '',
    ].join('\n'),
  );
}

function keyState({ providerKeys }: Config, provider: 'openai' | 'anthropic'): string {
  const source = providerKeys[provider];
  if (source === undefined) return `not set (${provider.toUpperCase()}_API_KEY)`;
  return 'file' in source ? `${mask(source.value)} from ${source.file}` : mask(source.value);
}

function adminTokenState(config: Config): string {
  if (config.adminToken !== undefined) return 'set (ADMIN_TOKEN)';
  return config.databaseUrl === undefined
    ? `in ${adminTokenFile(config.dataDir)}`
    : 'not set (ADMIN_TOKEN): the admin API is off';
}

function nextStep({ providerKeys, adminToken, databaseUrl, port }: Config): string {
  if (adminToken === undefined && databaseUrl !== undefined) return 'set ADMIN_TOKEN and start again';
  const elsewhere = port === 8080 ? '' : `LICENSIFY_URL=http://localhost:${port} `;
  const create = `${elsewhere}npx licensify license create --email you@example.com --name You --tier pro`;
  const hasKey = providerKeys.openai !== undefined || providerKeys.anthropic !== undefined;
  return hasKey
    ? create
    : `put OPENAI_API_KEY or ANTHROPIC_API_KEY into .env, start again, then\n        ${create}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection is an AggregateError without a message: what it holds says what happened.
  const own =
    error.message || (error instanceof AggregateError ? error.errors.map(reasonOf).join('; ') : error.name);
  return error.cause === undefined ? own : `${own} (${reasonOf(error.cause)})`;
}
