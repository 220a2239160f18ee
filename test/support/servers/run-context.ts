import { globSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Closers } from './closers.ts';

/** What every way of getting a server needs to know about the run it is for. */
export interface RunContext {
  readonly runId: string;
  readonly env: NodeJS.ProcessEnv;
  readonly closers: Closers;
  readonly say: (line: string) => void;
}

/** The Docker label that says which run a container belongs to. */
export const RUN_LABEL = 'licensify.test.run';

/** A name for one run, fit for database names, labels and folders: lower-case letters and digits. */
export function newRunId(): string {
  return `${Date.now().toString(36)}x${process.pid.toString(36)}`;
}

/** True when this process may do anything on the machine. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

// Root starts PostgreSQL as another user, who may not be able to enter root's own TMPDIR.
const temporaryRoot = (): string => (isRoot() ? '/tmp' : tmpdir());
const folderPrefix = (runId: string): string => `licensify-test-${runId}-`;

/** Makes a temporary folder that `removeTemporaryFolders` of the same run removes. */
export async function makeTemporaryFolder(runId: string, name: string): Promise<string> {
  return await mkdtemp(join(temporaryRoot(), `${folderPrefix(runId)}${name}-`));
}

/** Removes every temporary folder of a run. Synchronous, so that it can run as the process exits. */
export function removeTemporaryFolders(runId: string): void {
  for (const folder of globSync(`${folderPrefix(runId)}*`, { cwd: temporaryRoot() }))
    removeFolder(join(temporaryRoot(), folder));
}

/** Removes a folder, patient with a process that was killed a moment ago and still writes to it. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
