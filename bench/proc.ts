import { readFileSync } from 'node:fs';

/** Linux reports CPU times in hundredths of a second to programs, whatever its own clock's rate (proc(5), USER_HZ). */
const MS_PER_TICK = 10;

/** The CPU time that a process has used so far, user and system, all its threads. Undefined where there is no /proc. */
export function cpuMs(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : cpuMsIn(stat);
}

/** The same from the text of /proc/<pid>/stat. */
export function cpuMsIn(stat: string): number | undefined {
  // The second field is the program's name in parentheses and may hold anything; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isNaN(ticks) ? undefined : ticks * MS_PER_TICK;
}

/** The time that a core has been busy since the machine started. Undefined where there is no /proc. */
export function coreBusyMs(core: number): number | undefined {
  const stat = read('/proc/stat');
  return stat === undefined ? undefined : coreBusyMsIn(stat, core);
}

/** The same from the text of /proc/stat. */
export function coreBusyMsIn(stat: string, core: number): number | undefined {
  const line = stat.split('\n').find((candidate) => candidate.startsWith(`cpu${core} `));
  if (line === undefined) return undefined;
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = line
    .split(' ')
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) * MS_PER_TICK;
}

/** The memory that a process has resident, in MB. */
export function residentMb(pid: number): number | undefined {
  const kilobytes = /^VmRSS:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
