import { reasonOf } from './answers.ts';
import { dockerWithImage, POSTGRES_IMAGE } from './docker.ts';
import { findPostgres, POSTGRES_PLACES } from './find-programs.ts';
import { startPostgresInContainer } from './own-postgres-container.ts';
import { startPostgresProcess } from './own-postgres-process.ts';

/** A PostgreSQL that one test has for itself, to kill and to pause. Its port and URL stay the same throughout. */
export interface OwnPostgres {
  readonly url: string;
  readonly form: 'process' | 'container';
  /** Ends all its processes with SIGKILL, as a machine that loses its power does: connections are refused. */
  kill(): Promise<void>;
  /** Freezes all its processes: connections stay open, new ones are even accepted, and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Starts it again after `kill`. Resolves when it answers. */
  restart(): Promise<void>;
  /** Stops it for good and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts a private PostgreSQL: the program where there is one, else a container. TEST_SERVERS=docker forces the
 * container.
 */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const inDocker = process.env.TEST_SERVERS === 'docker';
  const folder = inDocker ? undefined : findPostgres(process.env);
  if (folder !== undefined) return await startPostgresProcess(folder);
  try {
    return await startPostgresInContainer(await dockerWithImage(POSTGRES_IMAGE));
  } catch (error) {
    if (inDocker) throw error;
    const reasons = `no postgres with initdb beside it in ${POSTGRES_PLACES}; Docker: ${reasonOf(error)}`;
    throw new Error(`This test needs a PostgreSQL of its own: install it or start Docker (${reasons})`, {
      cause: error,
    });
  }
}
