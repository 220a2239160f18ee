import type { Command } from 'commander';
import { queryOf, runningGateway } from './admin-api.ts';
import { licenseId, pageSize } from './arguments.ts';
import { addCommand, addGroup } from './command.ts';
import { confirm } from './confirm.ts';
import { printDevices, type DeviceJson } from './license-view.ts';
import { printable, printJson, tellOfMore, type Page } from './tables.ts';
import type { Terminal } from './terminal.ts';

/** `licensify device …`. */
export function registerDeviceCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'device', 'shows and removes the devices of a license');
  registerList(group, terminal);
  registerRemove(group, terminal);
}

function registerList(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'list',
    description: 'lists the devices that a license is activated on',
    examples: ['device list lic_0123456789abcdef01234567'],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .option('--limit <number>', 'how many at most, 1 to 200', pageSize, 50)
    .option('--cursor <cursor>', 'go on where a list before ended')
    .action(async (id: string, { json, ...where }: { json?: boolean; limit: number; cursor?: string }) => {
      const path = `/licenses/${id}/devices?${queryOf(where)}`;
      const page = (await runningGateway(terminal).admin('GET', path)) as Page<DeviceJson>;
      if (json === true) return printJson(terminal, page);
      if (page.data.length === 0) return terminal.complain('The license is activated on no device.');
      printDevices(terminal, page.data);
      tellOfMore(terminal, page);
    });
}

function registerRemove(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'remove',
    description: "frees a device's place; its proxy keys die within a second. Asks first",
    examples: [
      'device remove lic_0123456789abcdef01234567 ada-laptop',
      'device remove lic_0123456789abcdef01234567 ada-laptop --yes',
    ],
  })
    .argument('<license>', 'its id, lic_…', licenseId)
    .argument('<hardware-id>', 'the device, as "licensify device list" shows it')
    .option('--yes', 'do not ask: for scripts')
    .action(async (id: string, hardwareId: string, options: { json?: boolean; yes?: boolean }) => {
      const gateway = runningGateway(terminal);
      await confirm(terminal, `Remove device ${printable(hardwareId)} of license ${id}?`, options);
      await gateway.admin('DELETE', `/licenses/${id}/devices/${encodeURIComponent(hardwareId)}`);
      if (options.json === true) printJson(terminal, { removed: true, license: id, hardware_id: hardwareId });
      else terminal.print(`Device ${printable(hardwareId)} is removed: its proxy keys no longer work.`);
    });
}
