import { postgresProblem, reasonOf, redisProblem } from './answers.ts';
import { startPostgresContainer, startRedisContainer } from './docker.ts';
import { findPostgres, findRedis, POSTGRES_PLACES } from './find-programs.ts';
import { findServer, forcedWay } from './find-server.ts';
import type { Attempt, FoundServer, Way } from './find-server.ts';
import { installPackage, installProblem } from './install.ts';
import { startPostgresProgram, startRedisProgram } from './program-servers.ts';
import type { StartedServer } from './program-servers.ts';
import type { RunContext } from './run-context.ts';

/** Finds or starts PostgreSQL. */
export async function findPostgresServer(context: RunContext): Promise<FoundServer> {
  const programs = async (): Promise<StartedServer> => {
    const folder = findPostgres(context.env);
    if (folder === undefined) throw new Error(`no postgres with initdb beside it in ${POSTGRES_PLACES}`);
    return await startPostgresProgram(folder, context);
  };
  const ways: Way[] = [
    { name: 'env', attempt: () => fromEnvironment('TEST_DATABASE_URL', context.env, postgresProblem) },
    { name: 'docker', attempt: () => orReason(() => startPostgresContainer(context)) },
    { name: 'programs', attempt: () => orReason(programs) },
    { name: 'install', attempt: () => orReason(() => installed('postgresql', programs, context)) },
  ];
  return await findServer('PostgreSQL', ways, {
    forced: forcedWay(context.env),
    say: context.say,
    advice:
      'Set TEST_DATABASE_URL=postgres://…, or start Docker, or install PostgreSQL ' +
      '(Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17).',
  });
}

/** Finds or starts Redis. */
export async function findRedisServer(context: RunContext): Promise<FoundServer> {
  const programs = async (): Promise<StartedServer> => {
    const program = findRedis(context.env);
    if (program === undefined) throw new Error('no redis-server in PATH or the usual places');
    return await startRedisProgram(program, context);
  };
  const ways: Way[] = [
    { name: 'env', attempt: () => fromEnvironment('TEST_REDIS_URL', context.env, redisProblem) },
    { name: 'docker', attempt: () => orReason(() => startRedisContainer(context)) },
    { name: 'programs', attempt: () => orReason(programs) },
    { name: 'install', attempt: () => orReason(() => installed('redis-server', programs, context)) },
  ];
  return await findServer('Redis', ways, {
    forced: forcedWay(context.env),
    say: context.say,
    advice:
      'Set TEST_REDIS_URL=redis://…, or start Docker, or install Redis ' +
      '(Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis).',
  });
}

/** Somebody said that it is there: it may be busy with what others ask. Milliseconds. */
const PATIENCE_WITH_NAMED = 20_000;

/** The server that a variable names. One that does not answer is a mistake to show, not a reason to take another. */
export async function fromEnvironment(
  variable: string,
  env: NodeJS.ProcessEnv,
  problemOf: (url: string, withinMs: number) => Promise<string | undefined>,
): Promise<Attempt> {
  const url = env[variable];
  if (url === undefined || url === '') return { unavailable: `${variable} is not set` };
  if (!URL.canParse(url)) throw new Error(`${variable} is not a URL.`);
  const problem = await problemOf(url, PATIENCE_WITH_NAMED);
  if (problem !== undefined)
    throw new Error(`${variable} is set, but the server does not answer: ${problem}`);
  return { server: { url, description: `${new URL(url).host} (${variable})` } };
}

async function installed(
  packageName: string,
  start: () => Promise<StartedServer>,
  context: RunContext,
): Promise<StartedServer> {
  const problem = installProblem();
  if (problem !== undefined) throw new Error(`only as root on Debian or Ubuntu (${problem})`);
  await installPackage(packageName, context);
  return await start();
}

async function orReason(start: () => Promise<StartedServer>): Promise<Attempt> {
  try {
    return { server: await start() };
  } catch (error) {
    return { unavailable: reasonOf(error) };
  }
}
