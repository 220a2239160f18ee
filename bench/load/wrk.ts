import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadGenerator, LoadResult } from './load.ts';

const script = join(import.meta.dirname, 'wrk.lua');

/** wrk, where it is installed: compiled, so that it takes next to nothing from the core that it shares. */
export function findWrk(): LoadGenerator | undefined {
  try {
    execFileSync('wrk', ['--help'], { stdio: 'ignore' });
  } catch (error) {
    // It has no exit code for success without a run; what counts is whether it is there.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  }
  return { name: 'wrk', run: runWrk };
}

const runWrk: LoadGenerator['run'] = async ({ url, headers, body }, { connections, seconds }) => {
  // In files, since a key has no place among a program's arguments.
  const folder = mkdtempSync(join(tmpdir(), 'licensify-bench-load-'));
  try {
    writeFileSync(join(folder, 'body'), body);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
    writeFileSync(join(folder, 'headers'), lines.join(''));
    const { stdout } = await promisify(execFile)(
      'wrk',
      ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script, url],
      { env: { PATH: process.env.PATH, BENCH_LOAD_FOLDER: folder } },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LoadResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
