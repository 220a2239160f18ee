import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** How many TCP connections a process has to a port of this machine. Undefined where there is no /proc. */
export function connectionsTo(pid: number, port: number): number | undefined {
  try {
    const tables = ['tcp', 'tcp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8'));
    const inodes = new Set(tables.flatMap((table) => inodesTo(table, port)));
    const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
    return descriptors.filter((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '')).length;
  } catch {
    return undefined;
  }
}

/** The sockets in the text of /proc/net/tcp (proc_pid_net(5)) whose other end is that port. */
export function inodesTo(table: string, port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return sockets.filter(([, , remote]) => remote?.endsWith(end)).map((fields) => fields[9] ?? '');
}

/** '' where it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
