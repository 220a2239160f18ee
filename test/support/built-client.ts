import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { project } from './cli.ts';
import { runProgram } from './run-program.ts';

/** The package `@licensify/client` as it is published: plain JavaScript and its package.json, in a folder of its own. */
export interface BuiltClient extends Disposable {
  readonly folder: string;
  readonly index: string;
}

/** Builds it. @throws what the compiler says */
export async function buildClient(): Promise<BuiltClient> {
  const folder = mkdtempSync(join(tmpdir(), 'licensify-built-client-'));
  const source = join(project, 'clients/typescript');
  copyFileSync(join(source, 'package.json'), join(folder, 'package.json'));
  const compiler = join(project, 'node_modules/typescript/bin/tsc');
  const dist = join(folder, 'dist');
  const { code, stdout } = await runProgram(process.execPath, [compiler, '-p', source, '--outDir', dist]);
  if (code !== 0) throw new Error(`the client was not built:\n${stdout}`);
  return {
    folder,
    index: join(dist, 'index.js'),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
