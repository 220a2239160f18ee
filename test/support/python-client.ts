import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { ClientDevice } from './client-stage.ts';
import { requirePython } from './python.ts';

const driver = join(import.meta.dirname, 'python-client-driver.py');
const packages = join(import.meta.dirname, '../../clients/python');

/** Looked for once in a file's process. */
let python: string | undefined;

/** What the Python client raised. */
export interface PythonError {
  type: string;
  message: string;
  code: string;
  status: number;
  request_id: string | null;
  retry_after: number | null;
}

export interface PythonAnswer {
  items: unknown[];
  result: unknown;
  error?: PythonError;
}

interface Line {
  item?: unknown;
  result?: unknown;
  error?: PythonError;
}

/** A Python process in which the client runs on a device. Its output holds keys, and is never printed. */
export class PythonClient implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  private constructor(program: string) {
    this.#child = spawn(program, [driver], {
      env: { PATH: process.env.PATH, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaints += text));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** A start of an application in Python; undefined where there is no Python to run it, which is then said. */
  static async start(
    test: TestContext,
    device: ClientDevice,
    options: Record<string, unknown> = {},
  ): Promise<PythonClient | undefined> {
    python ??= await requirePython(test);
    if (python === undefined) return undefined;
    const client = new PythonClient(python);
    const made = await client.make(device, options);
    assert.equal(made.error, undefined);
    return client;
  }

  /** The application starts anew. */
  make(device: ClientDevice, options: Record<string, unknown> = {}): Promise<PythonAnswer> {
    const folder = dirname(device.keyFile);
    return this.#ask({ make: { url: device.url, hardware_id: 'hw-client', folder, ...options } });
  }

  /** Calls a method, or reads a property, and waits for all that comes of it. */
  do(method: string, args: unknown[] = [], kwargs: Record<string, unknown> = {}): Promise<PythonAnswer> {
    return this.#ask({ do: method, args, kwargs });
  }

  /** The same in a number of threads at the same time: what failed. */
  async inThreads(threads: number, method: string, args: unknown[]): Promise<string[]> {
    const { result } = await this.#ask({ do: method, args, threads });
    return result as string[];
  }

  /** Reads so many items of an iterator, then closes it. */
  abandonAfter(count: number, method: string, args: unknown[], kwargs: object): Promise<PythonAnswer> {
    return this.#ask({ do: method, args, kwargs, abandon_after: count });
  }

  async #ask(task: object): Promise<PythonAnswer> {
    this.#child.stdin.write(`${JSON.stringify(task)}\n`);
    const items: unknown[] = [];
    for (;;) {
      const next = await this.#lines.next();
      if (next.done === true) throw new Error(`Python ended: ${this.#complaints.slice(-1_000)}`);
      const line = JSON.parse(next.value) as Line;
      if ('item' in line) items.push(line.item);
      else return { items, result: line.result, ...(line.error !== undefined && { error: line.error }) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin.end();
    await closed;
  }
}
