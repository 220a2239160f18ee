import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** How programs are put on a core of their own, where the machine can do that. */
export interface Pinning {
  /** For people. */
  readonly description: string;
  /** Goes in front of the command of what is measured. */
  readonly underTest: readonly string[];
}

/**
 * Leaves core 0 to what is measured: this process, and with it everything that it starts in the plain way (load,
 * simulator, stores), moves to core 1.
 */
export function pinCores(): Pinning {
  if (availableParallelism() < 2) return { description: 'one core for everything', underTest: [] };
  try {
    execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
    return {
      description: 'core 0: gateway or relay; core 1: load, simulator, stores',
      underTest: ['taskset', '-c', '0'],
    };
  } catch {
    return { description: 'cores not pinned (no taskset)', underTest: [] };
  }
}

/** For people: what all this ran on. */
export function describeMachine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB`;
}
