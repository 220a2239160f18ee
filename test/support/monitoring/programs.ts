import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFolderWith, pathFolders } from '../servers/find-programs.ts';
import { installPackage, installProblem } from '../servers/install.ts';

const run = promisify(execFile);

/** Prometheus, its tool for rules, and Alertmanager: how each is called in Debian's packages and in the public images. */
const programs = {
  prometheus: { program: 'prometheus', package: 'prometheus', image: 'prom/prometheus:v3.8.0' },
  promtool: { program: 'promtool', package: 'prometheus', image: 'prom/prometheus:v3.8.0' },
  alertmanager: {
    program: 'prometheus-alertmanager',
    package: 'prometheus-alertmanager',
    image: 'prom/alertmanager:v0.30.0',
  },
} as const;

/** A program to start: its arguments go behind `args`. */
export interface FoundProgram {
  command: string;
  args: readonly string[];
}

/**
 * Finds a program: on this machine, in Docker (with the host's network, and the folder under its own path), or by
 * installing it, as root on Debian or Ubuntu.
 * @param folder what it may read and write
 * @throws with what to install
 */
export async function findMonitoring(name: keyof typeof programs, folder: string): Promise<FoundProgram> {
  const { program, package: packageName, image } = programs[name];
  const isHere = (): FoundProgram | undefined => {
    const place = findFolderWith([program], [...pathFolders(process.env), '/usr/local/bin', '/usr/bin']);
    return place === undefined ? undefined : { command: `${place}/${program}`, args: [] };
  };
  const present = isHere();
  if (present !== undefined) return present;
  if (await run('docker', ['image', 'inspect', image]).catch(() => undefined)) {
    const inside = [
      '--network',
      'host',
      '--user',
      '0',
      '-v',
      `${folder}:${folder}`,
      '-e',
      `TMPDIR=${folder}`,
    ];
    // The servers are their images' own entry points, whatever the program is called there.
    const entry = name === 'promtool' ? ['--entrypoint', name] : [];
    return { command: 'docker', args: ['run', '--rm', ...inside, ...entry, image] };
  }
  const problem = installProblem();
  if (problem === undefined) await installPackage(packageName, { say: console.log });
  const installed = isHere();
  if (installed !== undefined) return installed;
  throw new Error(
    `This test needs ${name}: apt-get install ${packageName}, or Docker with ${image} (${problem ?? 'not found'})`,
  );
}
