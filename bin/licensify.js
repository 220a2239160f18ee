#!/usr/bin/env node
// Starts the CLI on a Node.js that is new enough: the one that runs this, else the `node` package of a checkout. The
// published package runs its build; a checkout runs its sources.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MIN_MAJOR = 24;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const sources = at('../src/main.ts');
const main = existsSync(sources) ? sources : at('../dist/src/main.js');
const bundled = at('../node_modules/.bin/node');

if (Number(process.versions.node.split('.')[0]) >= MIN_MAJOR) {
  await import(new URL(`file://${main}`).href);
} else if (existsSync(bundled)) {
  const { status, signal } = spawnSync(bundled, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (signal === null) process.exitCode = status ?? 1;
  else process.kill(process.pid, signal);
} else {
  console.error(
    `licensify needs Node.js ${MIN_MAJOR} or newer; this is ${process.version}. Install it from https://nodejs.org`,
  );
  process.exitCode = 1;
}
