import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';

import { isRoot } from './run-context.ts';
import type { RunContext } from './run-context.ts';

const POLICY = '/usr/sbin/policy-rc.d';
const APT_LIMIT_MS = 300_000;

/** Why packages cannot be installed here, or undefined when they can: as root on Debian or Ubuntu. */
export function installProblem(
  root = isRoot(),
  osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '',
): string | undefined {
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease)) return 'this is neither Debian nor Ubuntu';
  return root ? undefined : 'not root';
}

// One after the other: PostgreSQL and Redis are looked for at the same time, and apt has one lock.
let queue: Promise<unknown> = Promise.resolve();

/** Installs a Debian package without letting it start its service. */
export async function installPackage(
  name: string,
  context: { readonly say: RunContext['say']; readonly closers?: RunContext['closers'] },
): Promise<void> {
  const installing = queue.then(async () => {
    context.say(`installing Debian's ${name} …`);
    await withoutStartingServices(async () => {
      await aptGet(['update', '-qq']);
      await aptGet(['install', '-y', '-qq', '--no-upgrade', '--no-install-recommends', name]);
    });
  });
  queue = installing.catch(() => undefined);
  // dpkg is not to be interrupted half-way: an interrupted run waits for it.
  context.closers?.add(`the installation of ${name}`, () => queue, 2 * APT_LIMIT_MS);
  await installing;
}

// invoke-rc.d asks this program before it starts a service; 101 means no. One that is there already is the
// administrator's, and stays as it is.
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  const ours = !existsSync(POLICY);
  if (ours) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) await rm(POLICY, { force: true });
  }
}

async function aptGet(args: readonly string[]): Promise<void> {
  // Detached: a Ctrl-C in the terminal is for us, not for dpkg.
  const child = spawn('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    timeout: APT_LIMIT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new Error(`apt-get ${args[0] ?? ''} failed: ${errors.trim().split('\n').slice(-3).join(' ')}`);
}
