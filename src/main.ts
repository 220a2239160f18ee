import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { parseEnv } from 'node:util';
import { readSecret } from './cli/read-secret.ts';
import { runCli } from './cli/run.ts';
import type { Terminal } from './cli/terminal.ts';

/** A second Ctrl-C later than this does not wait any longer. Milliseconds. */
const IMPATIENT_AFTER = 1_000;
/** Milliseconds. */
const LOOK_FOR_PARENT_EVERY = 500;

/** The only user of process.argv, process.env, signals and exit codes: everything else gets them from here. */
const terminal: Terminal = {
  environment: () => process.env,
  environmentFile: () => (existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {}),
  print: (text) => process.stdout.write(`${text}\n`),
  write: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(`${text}\n`),
  isInteractive: process.stdout.isTTY,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
  readInput: () => text(process.stdin),
  readSecret: (question) => readSecret(question, process.stdin, process.stderr),
  exit: (code) => (process.exitCode = code),
  onStop,
  onReload,
};

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // A Ctrl-C or Ctrl-D closes the input, and the question would wait for ever.
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}

/**
 * One Ctrl-C can arrive several times: the terminal sends it to every process of the group, and npm and bin/licensify.js
 * pass on theirs. So repetitions count as the same wish, until they come late enough to be a person's impatience.
 */
function onStop(stop: (signal: string) => void): void {
  let askedAt: number | undefined;
  whenLeftBehind(() => {
    askedAt ??= performance.now();
    stop('SIGTERM');
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (askedAt === undefined) {
        askedAt = performance.now();
        stop(signal);
      } else if (signal === 'SIGINT' && performance.now() - askedAt > IMPATIENT_AFTER) {
        process.exit(130);
      }
    });
  }
}

/** SIGHUP has two senders: an administrator, and a terminal whose window was closed, which means to stop. */
function onReload(reload: () => void): void {
  process.on('SIGHUP', () => {
    if (isLeftByTerminal()) process.kill(process.pid, 'SIGTERM');
    else reload();
  });
}

/** Whether the terminal that this was started at is gone: it can no longer be opened. */
function isLeftByTerminal(): boolean {
  if (!process.stdin.isTTY && !process.stdout.isTTY) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}

/** npm passes a SIGTERM on to its shell, which dies of it and tells nobody: that it is gone is the same wish. */
function whenLeftBehind(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, LOOK_FOR_PARENT_EVERY);
  watch.unref();
}

// `licensify license list | head -1`: whoever read the output has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.stderr.on('error', () => undefined);

await runCli(process.argv.slice(2), terminal);
