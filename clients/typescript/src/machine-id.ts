import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';

/** How to ask a machine; each has the real one as its default. */
export interface MachineOptions {
  platform?: string;
  read?: (file: string) => Promise<string>;
  run?: (program: string, args: string[]) => Promise<string>;
}

const runProgram = promisify(execFile);

/**
 * What an installation of an operating system is told by, hashed, since the id itself is to be kept confidential
 * (machine-id(5)); undefined where there is none, as in many containers.
 */
export async function machineId({
  platform = process.platform,
  read = (file) => readFile(file, 'utf8'),
  run = async (program, args) => (await runProgram(program, args, { timeout: 5_000 })).stdout,
}: MachineOptions = {}): Promise<string | undefined> {
  const id = (await rawId(platform, read, run).catch(() => undefined))?.trim().toLowerCase();
  if (id === undefined || !/^[0-9a-f-]{32,36}$/.test(id)) return undefined;
  return `hw-${createHash('sha256').update(`licensify:${id}`).digest('hex').slice(0, 32)}`;
}

async function rawId(
  platform: string,
  read: (file: string) => Promise<string>,
  run: (program: string, args: string[]) => Promise<string>,
): Promise<string | undefined> {
  if (platform === 'darwin') {
    const text = await run('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']);
    return /"IOPlatformUUID" = "([^"]+)"/.exec(text)?.[1];
  }
  if (platform === 'win32') {
    const key = String.raw`HKLM\SOFTWARE\Microsoft\Cryptography`;
    const text = await run('reg', ['query', key, '/v', 'MachineGuid', '/reg:64']);
    return /MachineGuid\s+REG_SZ\s+(\S+)/.exec(text)?.[1];
  }
  const id = await read('/etc/machine-id').catch(() => '');
  return id.trim() === '' ? read('/var/lib/dbus/machine-id') : id;
}
