import { printFields, printTable, printable } from './tables.ts';
import type { Terminal } from './terminal.ts';

/** A license as the admin API shows it; −1 is unlimited. */
export interface LicenseJson {
  id: string;
  key_prefix: string;
  email: string;
  name: string;
  tier: string;
  status: string;
  expires_at: string | null;
  daily_limit: number;
  monthly_limit: number;
  max_activations: number;
  created_at: string;
  version: number;
}

export interface DeviceJson {
  hardware_id: string;
  activated_at: string;
  last_activated_at: string;
}

export interface LicenseDetails extends LicenseJson {
  /** The first of them. */
  devices: DeviceJson[];
  device_count: number;
  usage: { today: number; this_month: number };
}

export function printLicenses(terminal: Terminal, licenses: LicenseJson[]): void {
  const head = ['id', 'email', 'name', 'tier', 'status', 'per day', 'per month', 'devices', 'expires'];
  printTable(
    terminal,
    head,
    licenses.map((license) => [
      license.id,
      license.email,
      license.name,
      license.tier,
      license.status,
      amount(license.daily_limit),
      amount(license.monthly_limit),
      amount(license.max_activations),
      license.expires_at ?? 'never',
    ]),
  );
}

export function printLicense(terminal: Terminal, license: LicenseJson, details?: LicenseDetails): void {
  const { usage, device_count: devices } = details ?? {};
  const used = (count: number | undefined, limit: number): string =>
    count === undefined ? amount(limit) : `${count} of ${amount(limit)} used`;
  printFields(terminal, [
    ['id', license.id],
    ['key', `${license.key_prefix}…`],
    ['customer', nameOf(license)],
    ['tier', license.tier],
    ['status', license.status],
    ['expires', license.expires_at ?? 'never'],
    ['requests per day', used(usage?.today, license.daily_limit)],
    ['requests per month', used(usage?.this_month, license.monthly_limit)],
    ['devices', used(devices, license.max_activations)],
    ['created', license.created_at],
    ['version', String(license.version)],
  ]);
}

export function printDevices(terminal: Terminal, devices: DeviceJson[]): void {
  printTable(
    terminal,
    ['hardware id', 'activated', 'last activated'],
    devices.map((device) => [device.hardware_id, device.activated_at, device.last_activated_at]),
  );
}

/** `Ada Lovelace <ada@example.com>`. */
export function nameOf({ name, email }: Pick<LicenseJson, 'name' | 'email'>): string {
  return printable(`${name} <${email}>`);
}

export function amount(limit: number): string {
  return limit === -1 ? 'unlimited' : String(limit);
}
