import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { licensify } from '../support/cli.ts';

const silent: Terminal = {
  environment: () => ({}),
  environmentFile: () => ({}),
  print: () => undefined,
  write: () => undefined,
  readInput: () => Promise.resolve(''),
  complain: () => undefined,
  isInteractive: false,
  ask: undefined,
  readSecret: () => Promise.resolve(''),
  exit: () => undefined,
  onStop: () => undefined,
  onReload: () => undefined,
};

/** Every command that does something, by its words. */
function commands(command: Command, path: string[] = []): string[][] {
  if (command.commands.length === 0) return [path];
  return command.commands.flatMap((child) => commands(child, [...path, child.name()]));
}

const all = commands(buildProgram(silent));

describe('--help', () => {
  it('knows the commands of the contract that there are so far', () => {
    assert.deepEqual(all.map((path) => path.join(' ')).sort(), [
      ...[
        'audit',
        'client activate',
        'client chat',
        'client check',
        'config',
        'demo',
        'device list',
        'device remove',
        'doctor',
        'license create',
        'license list',
      ],
      ...['license reinstate', 'license reissue', 'license revoke', 'license rotate-keys', 'license show'],
      ...['license suspend', 'license update', 'master-key rotate', 'migrate', 'openapi', 'provider list'],
      ...['provider remove-key', 'provider set-key', 'serve', 'tier list', 'tier migrate', 'tier validate'],
      ...['token create', 'token list', 'token revoke', 'usage'],
      ...['webhook create', 'webhook deliveries', 'webhook list', 'webhook remove', 'webhook resend'],
      ...['webhook rotate-secret', 'webhook test', 'webhook update'],
    ]);
  });

  for (const path of all) {
    it(`of ${path.join(' ')} shows an example and --json`, async () => {
      const { code, out, err } = await licensify([...path, '--help']);
      assert.deepEqual([code, err], [0, '']);
      assert.match(out, new RegExp(`\\nExamples?:\\n {2}\\$ licensify ${path.join(' ')}`));
      assert.match(out, /--json/);
    });
  }

  const groups = [
    ['license'],
    ['device'],
    ['tier'],
    ['token'],
    ['provider'],
    ['master-key'],
    ['webhook'],
    ['client'],
  ];
  for (const path of [[], ...groups]) {
    it(`of ${path.join(' ') || 'the whole'} lists what there is, with an example`, async () => {
      const { code, out } = await licensify([...path, '--help']);
      assert.equal(code, 0);
      assert.match(out, /\nCommands:\n/);
      assert.match(out, /\nExample:\n {2}\$ licensify /);
    });
  }

  it('--version prints the version', async () => {
    assert.match((await licensify(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  });
});
