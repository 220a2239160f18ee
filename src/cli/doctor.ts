import { loadConfig, type Config } from '../config.ts';
import { readAdminToken } from './admin-token.ts';
import { clockFindings } from './doctor/clocks.ts';
import { dataDirFindings } from './doctor/data-dir.ts';
import { migrationFindings, openDatabase, type Opened } from './doctor/database.ts';
import { CHECK_LIMIT, examine, failure, fine, type Finding } from './doctor/finding.ts';
import { mailFindings } from './doctor/mail.ts';
import { masterKeyFindings } from './doctor/master-key.ts';
import type { Patient } from './doctor/patient.ts';
import { providerFindings } from './doctor/providers.ts';
import { publicUrlFindings } from './doctor/public-url.ts';
import { openForDoctor, type OpenedRedis } from './doctor/redis.ts';
import { readTiers, tiersInUse } from './doctor/tiers.ts';
import { environmentOf } from './environment.ts';
import { printable, printJson } from './tables.ts';
import { FAILURE, type Terminal } from './terminal.ts';

/** Loading the embedded database takes its time, and is this machine's own work. Milliseconds. */
const OPEN_EMBEDDED_LIMIT = 30_000;

/** `licensify doctor`: looks at all that a gateway on this machine needs, and says what to do about what is wrong. */
export async function doctor(terminal: Terminal, { json }: { json: boolean }): Promise<void> {
  const findings = await examineAll(terminal);
  const healthy = findings.every(({ state }) => state !== 'fail');
  if (json) printJson(terminal, { healthy, findings });
  else for (const finding of findings) terminal.print(lineOf(finding, terminal.isInteractive));
  if (!healthy) terminal.exit(FAILURE);
}

async function examineAll(terminal: Terminal): Promise<Finding[]> {
  const loaded = loadConfig(environmentOf(terminal));
  if (!loaded.ok) {
    return loaded.problems.map(({ variable, holds, takes }) => {
      const found = holds === undefined ? 'is not set' : `holds ${JSON.stringify(holds)}`;
      return failure('settings', `${variable} ${found}`, `${variable} takes ${takes}`);
    });
  }
  const { config } = loaded;
  const { tiers, findings: tierFindings } = readTiers(config);
  const [base, redis] = await Promise.all([openBounded(config), openRedisBounded(config)]);
  const patient: Patient = {
    config,
    tiers,
    adminToken: config.adminToken ?? readAdminToken(config.dataDir),
    database: base.database,
    redis: redis.redis,
  };
  try {
    const looked = await Promise.all(restOf(patient));
    return [
      fine('settings', 'all are valid (licensify config shows them)'),
      ...[...base.findings, ...redis.findings, ...tierFindings],
      ...looked.flat(),
    ];
  } finally {
    redis.redis?.client.disconnect();
    await base.database?.close();
  }
}

function restOf(patient: Patient): Promise<Finding[]>[] {
  const { config, database } = patient;
  return [
    database === undefined ? Promise.resolve([]) : examine('migrations', () => migrationFindings(database)),
    examine('clocks', () => clockFindings(patient)),
    examine('tiers in use', () => tiersInUse(patient)),
    examine('master key', () => masterKeyFindings(patient)),
    examine('data folder', () => dataDirFindings(config)),
    examine('providers', () => providerFindings(patient), CHECK_LIMIT + 1_000),
    examine('mail', () => mailFindings(config)),
    examine('public url', () => publicUrlFindings(patient), 2 * CHECK_LIMIT),
  ];
}

/** What opens too late is left behind: the process ends soon. */
async function openBounded(config: Config): Promise<Opened> {
  let opened: Opened | undefined;
  const limit = config.databaseUrl === undefined ? OPEN_EMBEDDED_LIMIT : CHECK_LIMIT + 1_000;
  const findings = await examine(
    'database',
    async () => (opened = await openDatabase(config)).findings,
    limit,
  );
  return { database: opened?.database, findings };
}

async function openRedisBounded(config: Config): Promise<OpenedRedis> {
  let opened: OpenedRedis | undefined;
  const findings = await examine('redis', async () => (opened = await openForDoctor(config)).findings);
  return { redis: opened?.redis, findings };
}

const WIDTH = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };
const COLOUR = { ok: 32, warn: 33, fail: 31 };

/** `FAIL  redis eviction        maxmemory-policy allkeys-lru ─▶ CONFIG SET …` */
function lineOf({ check, state, found, fix }: Finding, isInteractive: boolean): string {
  const mark = isInteractive ? `\u001b[${COLOUR[state]}m${WIDTH[state]}\u001b[0m` : WIDTH[state];
  const todo = fix === undefined ? '' : ` ─▶ ${printable(fix)}`;
  return `${mark}  ${check.padEnd(20)}  ${printable(found)}${todo}`;
}
