import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Closers } from '../support/servers/closers.ts';
import { findFolderWith } from '../support/servers/find-programs.ts';
import { freePort, onFreePort, startServer, waitUntilReady } from '../support/servers/processes.ts';

test('a free port can be listened on', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  server.close();
});

test('a port that was taken in between is given up for another', async () => {
  const ports: number[] = [];
  const result = await onFreePort((port) => {
    ports.push(port);
    return ports.length < 3 ? Promise.reject(new Error('taken')) : Promise.resolve('started');
  });
  assert.equal(result, 'started');
  assert.equal(ports.length, 3);
});

test('a server that exits at its start fails with the end of its log', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'servers-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const server = await startServer({
    command: process.execPath,
    args: ['-e', 'console.error("no such setting"); process.exit(1)'],
    cwd: folder,
    logFile: join(folder, 'log'),
    ownGroup: false,
  });
  await assert.rejects(
    waitUntilReady(server, () => Promise.resolve(false)),
    /exited[^]*no such setting/,
  );
});

test('a program counts only where everything it needs is beside it', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'servers-test-'));
  t.after(() => rm(root, { recursive: true }));
  const [half, whole] = [join(root, 'half'), join(root, 'whole')];
  for (const [folder, program] of [
    [half, 'postgres'],
    [whole, 'postgres'],
    [whole, 'initdb'],
  ] as const) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, program), '');
    await chmod(join(folder, program), 0o755);
  }
  assert.equal(findFolderWith(['postgres', 'initdb'], [join(root, 'none'), half, whole]), whole);
  assert.equal(findFolderWith(['postgres', 'initdb'], [half]), undefined);
});

test('closers run once, the last first, and one that fails or hangs does not hold up the rest', async () => {
  const closers = new Closers();
  const closed: string[] = [];
  const problems: string[] = [];
  const note = (name: string) => () => Promise.resolve(closed.push(name));
  closers.add('first', note('first'));
  closers.add('failing', () => Promise.reject(new Error('gone already')));
  closers.add('hanging', () => new Promise(() => undefined), 10);
  closers.add('last', note('last'));
  await closers.closeAll((problem) => problems.push(problem));
  await closers.closeAll((problem) => problems.push(problem));
  assert.deepEqual(closed, ['last', 'first']);
  assert.deepEqual(problems, [
    'hanging did not stop within 0.01 s',
    'could not stop failing: Error: gone already',
  ]);
  assert.throws(() => closers.add('late', note('late')), /stopping/);
});
