import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { LoadGenerator, LoadOptions, LoadResult } from './load.ts';

const program = join(import.meta.dirname, 'autocannon-process.ts');

/** What `autocannon-process.ts` reads from its standard input. */
export interface Order extends LoadOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Needs nothing installed, but is itself the bottleneck of the fast rows: a fallback. */
export const autocannonLoad: LoadGenerator = {
  name: 'autocannon',
  async run({ url, headers, body }, options) {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const order: Order = { url, headers, body: body.toString('latin1'), ...options };
    child.stdin.end(JSON.stringify(order));
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (child.exitCode !== 0) throw new Error('autocannon failed: see above');
    return JSON.parse(output) as LoadResult;
  },
};
