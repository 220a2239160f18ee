import { reasonOf } from './answers.ts';
import { dockerWithImage, REDIS_IMAGE } from './docker.ts';
import { findRedis } from './find-programs.ts';
import { installPackage, installProblem } from './install.ts';
import { startRedisInContainer } from './own-redis-container.ts';
import { startRedisProcess } from './own-redis-process.ts';

export interface OwnRedisOptions {
  /** Keep an append-only file, so that what was written survives `kill` and `restart`. Default: no persistence. */
  readonly appendOnly?: boolean;
  /** When the append-only file is synced; `everysec`, Redis' own default, survives a killed process as well. */
  readonly appendFsync?: 'always' | 'everysec' | 'no';
  /** Further arguments of redis-server, such as `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
}

/** A Redis that one test has for itself, to kill, pause and wipe. Its port and URL stay the same throughout. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  readonly form: 'process' | 'container';
  /** Sends a signal, by default SIGKILL, and waits until the server has gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Freezes it: connections stay open, and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Starts it again, stopping it first when it runs; `empty` throws its data away. Resolves when it answers. */
  restart(options?: { empty?: boolean }): Promise<void>;
  /** Stops it for good and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts a private Redis: a redis-server process where there is the program, else a container, else a process after
 * installing the program (as root on Debian or Ubuntu). TEST_SERVERS=docker forces the container.
 */
export async function startOwnRedis(options: OwnRedisOptions = {}): Promise<OwnRedis> {
  const inDocker = process.env.TEST_SERVERS === 'docker';
  const program = inDocker ? undefined : findRedis(process.env);
  if (program !== undefined) return await startRedisProcess(program, options);

  const reasons = ['no redis-server in PATH or the usual places'];
  try {
    return await startRedisInContainer(await dockerWithImage(REDIS_IMAGE), options);
  } catch (error) {
    if (inDocker) throw error;
    reasons.push(`Docker: ${reasonOf(error)}`);
  }
  const problem = installProblem();
  if (problem === undefined) {
    await installPackage('redis-server', { say: console.log });
    const installed = findRedis(process.env);
    if (installed !== undefined) return await startRedisProcess(installed, options);
  }
  throw new Error(
    `This test needs a Redis of its own: install redis-server or start Docker (${reasons.join('; ')})`,
  );
}
