import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inherited, project } from '../cli.ts';
import { eventually } from '../eventually.ts';
import { outputFolder } from '../output.ts';

/** A start takes 1 to 2 s of CPU, and four start at once. Milliseconds. */
const START_LIMIT = 60_000;
const END_LIMIT = 60_000;

export interface MemberSettings {
  readonly name: string;
  readonly port: number;
  readonly internalPort: number;
  /** A folder of the test's own: a `.env` of the project is none of its business. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

// The last resort: whatever way this process ends, its gateways go with it.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * One gateway of a cluster: `licensify serve` in a process of its own, always on the same ports. Its log goes to a file
 * that the leak scan reads; nobody in this process has to keep up with it.
 */
export class Member {
  readonly name: string;
  readonly url: string;
  readonly internalUrl: string;
  readonly #settings: MemberSettings;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(settings: MemberSettings) {
    this.#settings = settings;
    this.name = settings.name;
    this.url = `http://127.0.0.1:${settings.port}`;
    this.internalUrl = `http://127.0.0.1:${settings.internalPort}`;
    this.#logFile = join(outputFolder('logs'), `${process.pid}-${settings.port}-${settings.name}.jsonl`);
  }

  isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts the process and waits until it is ready. @throws with the end of its log if it ends instead */
  async start(): Promise<void> {
    if (this.isRunning()) throw new Error(`${this.name} is running already`);
    const log = openSync(this.#logFile, 'a');
    const child = spawn(process.execPath, [join(project, 'src/main.ts'), 'serve', '--json'], {
      cwd: this.#settings.cwd,
      env: {
        ...inherited(),
        ...this.#settings.env,
        HOST: '127.0.0.1',
        PORT: String(this.#settings.port),
        INTERNAL_PORT: String(this.#settings.internalPort),
      },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.#child = child;
    let ended: Error | undefined;
    child.once('exit', () => (ended = new Error(`${this.name} ended at its start:\n${this.#logTail()}`)));
    await eventually(async () => {
      if (ended === undefined && (await this.readiness()).status !== 200)
        throw new Error(`${this.name} is not ready`);
    }, START_LIMIT);
    if (ended !== undefined) throw ended;
  }

  /** What the load balancer asks. @throws if nobody listens */
  async readiness(): Promise<{ status: number; body: string }> {
    const answer = await fetch(`${this.internalUrl}/health/ready`, { signal: AbortSignal.timeout(2_000) });
    return { status: answer.status, body: await answer.text() };
  }

  /** What Prometheus reads. @throws if nobody listens */
  async metrics(): Promise<string> {
    const answer = await fetch(`${this.internalUrl}/metrics`, { signal: AbortSignal.timeout(2_000) });
    return answer.text();
  }

  /** Sends a signal, by default SIGKILL, and waits for the end. Returns the exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child === undefined) throw new Error(`${this.name} was never started`);
    if (this.isRunning()) {
      const exited = once(child, 'exit', { signal: AbortSignal.timeout(END_LIMIT) });
      child.kill(signal);
      await exited;
    }
    return child.exitCode ?? child.signalCode ?? 1;
  }

  /** Freezes it: connections stay open, the system even accepts new ones, and nothing answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** The lines it has logged in all its lives. */
  logLines(): Record<string, unknown>[] {
    const lines = readFileSync(this.#logFile, 'utf8').split('\n');
    return lines
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  #logTail(): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  }
}
