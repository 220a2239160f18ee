#!/usr/bin/env node
// Starts the CLI on a Node.js that is new enough: the one that runs this, else the `node` package of a checkout. The
// published package runs its build; a checkout runs its sources.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MIN_MAJOR = 24;
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const sources = new URL('../src/main.ts', import.meta.url);
const main = existsSync(sources) ? sources : new URL('../dist/src/main.js', import.meta.url);
const bundled = at(`../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`);

if (Number(process.versions.node.split('.')[0]) >= MIN_MAJOR) {
  await import(main.href);
} else if (existsSync(bundled)) {
  runOn(bundled);
} else {
  console.error(
    `licensify needs Node.js ${MIN_MAJOR} or newer; this is ${process.version}. Install it from https://nodejs.org`,
  );
  process.exitCode = 1;
}

/** Stands in for the other Node.js: signals go in, and what it ends with comes out. */
function runOn(node) {
  const child = spawn(node, [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];
  // A Ctrl-C reaches the child twice, from the terminal and from here: it takes both for one.
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${node} cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
    } else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}
