import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { findMonitoring } from '../support/monitoring/programs.ts';
import { ruleTestFiles } from '../support/monitoring/rules.ts';
import { makeTemporaryFolder } from '../support/servers/run-context.ts';

const run = promisify(execFile);

it('promtool finds that every alert fires when it should, says what it should, and is silent otherwise', async (t) => {
  const folder = await makeTemporaryFolder(process.env.TEST_RUN_ID ?? 'none', 'rules');
  cpSync(resolve(import.meta.dirname, '../../deploy/prometheus'), folder, { recursive: true });
  const { command, args } = await findMonitoring('promtool', folder);
  const files = ruleTestFiles().map((file) => join(folder, file));
  const { stdout } = await run(command, [...args, 'test', 'rules', ...files]);
  t.diagnostic(stdout.replaceAll(/\s+/g, ' ').replaceAll(folder, ''));
});
