import type { Command } from 'commander';
import { runningGateway, type RunningGateway } from './admin-api.ts';
import { licenseId, seconds } from './arguments.ts';
import { addCommand } from './command.ts';
import { confirm, requireAnswerer } from './confirm.ts';
import { changeStatus, licenseDetails } from './license-calls.ts';
import { nameOf, type LicenseJson } from './license-view.ts';
import { printJson } from './tables.ts';
import type { Terminal } from './terminal.ts';

interface EndingOptions {
  json?: boolean;
  yes?: boolean;
}

/** What ends a license or its keys, each after a question: `license revoke`, `reissue` and `rotate-keys`. */
export function registerEndingCommands(group: Command, terminal: Terminal): void {
  registerRevoke(group, terminal);
  registerReissue(group, terminal);
  registerRotateKeys(group, terminal);
}

function registerRevoke(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'revoke',
    description: 'ends a license for good, and cuts its open streams; asks first',
    examples: [
      'license revoke lic_0123456789abcdef01234567',
      'license revoke lic_0123456789abcdef01234567 --yes',
    ],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .option('--yes', 'do not ask: for scripts')
    .action(async (id: string, { json, yes }: EndingOptions) => {
      const gateway = runningGateway(terminal);
      const question = (whose: string): string =>
        `Revoke license ${id} of ${whose}? It cannot be taken back.`;
      await confirmFor(terminal, gateway, id, { yes, question });
      const changed = await changeStatus(gateway, id, 'revoke');
      if (json === true) printJson(terminal, changed);
      else terminal.print(`License ${id} of ${nameOf(changed.license)} is revoked, for good.`);
    });
}

function registerReissue(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'reissue',
    description: 'makes a new license key and prints it, once; the old one dies at once. Asks first',
    examples: [
      'license reissue lic_0123456789abcdef01234567',
      'license reissue lic_0123456789abcdef01234567 --yes --json',
    ],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .option('--yes', 'do not ask: for scripts')
    .action(async (id: string, { json, yes }: EndingOptions) => {
      const gateway = runningGateway(terminal);
      const question = (whose: string): string =>
        `Replace the key of license ${id} of ${whose}? Devices go on; the old key activates none any more.`;
      await confirmFor(terminal, gateway, id, { yes, question });
      const made = (await gateway.admin('POST', `/licenses/${id}/reissue`)) as {
        license: LicenseJson;
        license_key: string;
      };
      if (json === true) printJson(terminal, made);
      else terminal.print(newKeyText(made.license, made.license_key));
    });
}

function newKeyText(license: LicenseJson, licenseKey: string): string {
  return [
    `The new key of license ${license.id} of ${nameOf(license)}:`,
    '',
    `  ${licenseKey}`,
    '',
    'It is shown only now. The key before is dead; devices that are activated go on as they are.',
  ].join('\n');
}

function registerRotateKeys(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'rotate-keys',
    description: 'ends the proxy keys of all devices, which get new ones by activating again. Asks first',
    examples: [
      'license rotate-keys lic_0123456789abcdef01234567',
      'license rotate-keys lic_0123456789abcdef01234567 --grace 3600 --yes',
    ],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .option('--grace <seconds>', 'how long the keys of now still work; without, they die at once', seconds, 0)
    .option('--yes', 'do not ask: for scripts')
    .action(async (id: string, { json, yes, grace }: EndingOptions & { grace: number }) => {
      const gateway = runningGateway(terminal);
      const when = grace === 0 ? 'at once, and cut open streams' : `in ${grace} s`;
      const question = (whose: string): string =>
        `End all proxy keys of license ${id} of ${whose}, ${when}? Each device has to activate again.`;
      await confirmFor(terminal, gateway, id, { yes, question });
      const ended = (await gateway.admin('POST', `/licenses/${id}/keys/revoke`, {
        grace_seconds: grace,
      })) as { revoked: number; work_until: string };
      if (json === true) printJson(terminal, ended);
      else terminal.print(endedText(ended, grace));
    });
}

function endedText(
  { revoked, work_until: until }: { revoked: number; work_until: string },
  grace: number,
): string {
  const keys = revoked === 1 ? '1 proxy key' : `${revoked} proxy keys`;
  return grace === 0 ? `${keys} ended.` : `${keys} will end, the last at ${until}.`;
}

/** Asks, with the customer's name and how many devices it concerns. @throws as `confirm` does */
async function confirmFor(
  terminal: Terminal,
  gateway: RunningGateway,
  id: string,
  { yes, question }: { yes: boolean | undefined; question: (whose: string) => string },
): Promise<void> {
  requireAnswerer(terminal, yes);
  if (yes === true) return;
  const license = await licenseDetails(gateway, id);
  const devices = license.device_count === 1 ? '1 device' : `${license.device_count} devices`;
  await confirm(terminal, question(`${nameOf(license)}, in use on ${devices}`), { yes });
}
