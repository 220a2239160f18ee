import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';

const logger = new URL('../../src/observe/log.ts', import.meta.url).href;

/** Logs, waits, logs more than a pipe holds, and exits in the same turn. */
const program = (pauseMs: number): string => `
  import { createLogger } from ${JSON.stringify(logger)};
  const log = createLogger('info');
  const text = 'x'.repeat(3_000);
  for (let line = 0; line < 10; line += 1) log.info({ line }, text);
  setTimeout(() => {
    for (let line = 10; line < 60; line += 1) log.info({ line }, text);
    process.exit(0);
  }, ${pauseMs});
`;

it('a process that exits has written all its lines, each once and in their order', async () => {
  // Before the first write, while one is under way, and while lines wait for the next.
  for (const pauseMs of [0, 1, 2, 5, 20, 60]) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program(pauseMs)],
      { maxBuffer: 1 << 24 },
    );
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { line: number }).line);
    assert.deepEqual(lines, [...Array(60).keys()], `after ${pauseMs} ms`);
  }
});
