import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainProblems, loadConfig, type Config, type Environment } from '../config.ts';
import { startGateway, type Gateway } from '../gateway.ts';
import { builtInTiers } from '../licensing/tiers.ts';
import { createLogger } from '../observe/log.ts';
import { placeText, stepJson, stepText } from './demo-page.ts';
import { tellStory, type DemoStage } from './demo-story.ts';
import { environmentOf } from './environment.ts';
import { CommandError, reasonOf, type Terminal } from './terminal.ts';

/** What the demo needs of the provider simulator; a test holds the simulator to it. */
export interface SimulatorModule {
  OPENAI_KEY: string;
  ANTHROPIC_KEY: string;
  startSimulator(options: { record: boolean }): Promise<{ readonly url: string; close(): Promise<void> }>;
}

/**
 * `licensify demo`: a throw-away gateway and simulated providers, every step of a license's life with the curl that does
 * the same, and then all of it stays up until it is asked to stop. It is the one command that prints keys and tokens:
 * of an installation that is gone with it.
 */
export async function demo(terminal: Terminal, { json }: { json: boolean }): Promise<void> {
  const stopped = new Promise<string>((resolve) => terminal.onStop(resolve));
  const closers: (() => unknown)[] = [];
  try {
    const stage = await setUp(terminal, closers, json);
    // A stop in the midst of the story ends it: that its calls then fail is of no interest.
    const device = await Promise.race([tellStory(stage), stopped]);
    if (typeof device === 'string') return;
    const { url, adminToken } = stage;
    const place = { url, adminToken, ...device };
    terminal.print(json ? JSON.stringify({ stays_up: true, ...place }) : placeText(place));
    await stopped;
    if (!json) terminal.print('\nThe demo is over, and removed.');
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function setUp(terminal: Terminal, closers: (() => unknown)[], json: boolean): Promise<DemoStage> {
  const providers = await loadSimulator();
  const folder = mkdtempSync(join(tmpdir(), 'licensify-demo-'));
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const simulator = await providers.startSimulator({ record: false });
  closers.push(() => simulator.close());
  // The form that the tests' scan for leaked secrets knows.
  const adminToken = `admin-${randomBytes(24).toString('hex')}`;
  const own = environmentOf(terminal);
  const config = configFor({
    ...(await addressFor(terminal, own)),
    LOG_LEVEL: own.LOG_LEVEL ?? 'warn',
    DATA_DIR: folder,
    ADMIN_TOKEN: adminToken,
    OPENAI_API_KEY: providers.OPENAI_KEY,
    ANTHROPIC_API_KEY: providers.ANTHROPIC_KEY,
    OPENAI_BASE_URL: simulator.url,
    ANTHROPIC_BASE_URL: simulator.url,
    // The printed /activate gives the device a new key: the one in the other printed commands is to stay good.
    PROXY_KEY_GRACE_SECONDS: '86400',
    SHUTDOWN_TIMEOUT_MS: '2000',
  });
  const gateway = await start(config, adminToken);
  closers.push(() => gateway.close());
  if (!json) {
    terminal.print(
      `A gateway at ${gateway.url}, before a simulated OpenAI and Anthropic at ${simulator.url}.\n` +
        'All of it is thrown away at the end, so its keys are printed here.',
    );
  }
  let number = 0;
  return {
    url: gateway.url,
    adminToken,
    show(step) {
      number += 1;
      terminal.print(json ? JSON.stringify(stepJson(number, step)) : stepText(number, step));
    },
  };
}

function configFor(environment: Environment): Config {
  const loaded = loadConfig(environment);
  if (!loaded.ok) throw new CommandError(explainProblems(loaded.problems));
  return loaded.config;
}

async function start(config: Config, adminToken: string): Promise<Gateway> {
  try {
    const log = createLogger(config.logLevel);
    return await startGateway({ config, tiers: builtInTiers, log, adminToken });
  } catch (error) {
    throw new CommandError(`The demo did not start: ${reasonOf(error)}`, { cause: error });
  }
}

/** Its own machine alone unless HOST says otherwise; a free port where the one wanted is taken. */
async function addressFor(terminal: Terminal, own: Environment): Promise<Environment> {
  const host = own.HOST ?? '127.0.0.1';
  const wanted = own.PORT ?? '8080';
  const isTaken =
    /^\d+$/.test(wanted) && Number(wanted) < 65_536 && (await portIsTaken(Number(wanted), host));
  if (isTaken) terminal.complain(`Port ${wanted} is in use, so this takes a free one.`);
  return { HOST: host, PORT: isTaken ? '0' : wanted, INTERNAL_PORT: '0' };
}

function portIsTaken(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    probe.listen(port, host, () => probe.close(() => resolve(false)));
  });
}

/**
 * The simulator belongs to the tests, and the published package has no tests: so its place is worked out here, where a
 * plain import would have the compiler pull the tests into the build.
 */
async function loadSimulator(): Promise<SimulatorModule> {
  const place = new URL('../../test/support/simulator/simulator.ts', import.meta.url);
  if (!existsSync(place)) {
    throw new CommandError(
      "The demo needs the provider simulator, which only a clone of the project's repository has: " +
        'there, run npm ci && npm run demo.',
    );
  }
  return (await import(place.href)) as SimulatorModule;
}
