import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../cli.ts';
import type { Member } from './member.ts';

/** What tests shorten so that they need not wait. Milliseconds, HAProxy's own names in brackets. */
export interface BalancerTimes {
  /** Between two health checks (`inter`). Default: 100. */
  readonly checkEvery?: number;
  /** After how long idle connections to a gateway are closed (`pool-purge-delay`). Default: as shipped. */
  readonly idlePool?: number;
}

/** A gateway as a load balancer sees it. */
export type Backend = Pick<Member, 'name' | 'url' | 'internalUrl'>;

export interface Addresses {
  /** Where clients connect. */
  readonly port: number;
  readonly internalPort: number;
  /** Where HAProxy's own counts can be read. */
  readonly statsPort: number;
  readonly members: readonly Backend[];
}

/**
 * The configuration that is shipped in deploy/, with the addresses of a cluster on this machine in place of those that
 * Docker's DNS knows, so that what is tested is what is shipped.
 */
export function haproxyConfig(
  { port, internalPort, statsPort, members }: Addresses,
  { checkEvery = 100, idlePool }: BalancerTimes = {},
): string {
  const servers = members.map(({ name, url, internalUrl }) => {
    return `  server ${name} ${new URL(url).host} check port ${new URL(internalUrl).port}`;
  });
  const edits: [what: RegExp, by: string][] = [
    [/"\$\{HAPROXY_MAXCONN\}"/, '2000'],
    [/^resolvers docker\n(?:(?: .*)?\n)+/m, ''],
    [/^ *default-server resolvers .*\n/m, ''],
    [/^ *bind :8080$/m, `  bind 127.0.0.1:${port}`],
    [/^ *bind :8405$/m, `  bind 127.0.0.1:${internalPort}`],
    [/\bcheck port 9464 /, ''],
    [/ inter \d+ms fastinter \d+ms downinter \d+ms/, everyCheck(checkEvery)],
    [/^ *server-template .*$/m, servers.join('\n')],
  ];
  if (idlePool !== undefined) edits.push([/pool-purge-delay \d+m?s/, `pool-purge-delay ${idlePool}ms`]);
  const shipped = readFileSync(join(project, 'deploy/haproxy/haproxy.cfg'), 'utf8');
  return `${edits.reduce(replaceOnce, shipped)}
frontend stats
  bind 127.0.0.1:${statsPort}
  stats enable
  stats uri /stats
`;
}

function everyCheck(ms: number): string {
  return ` inter ${ms}ms fastinter ${ms}ms downinter ${ms}ms`;
}

function replaceOnce(config: string, [what, by]: [RegExp, string]): string {
  const parts = config.split(new RegExp(what, `${what.flags}g`));
  if (parts.length === 2) return parts.join(by);
  throw new Error(
    `deploy/haproxy/haproxy.cfg has ${parts.length - 1} places like ${what.source}, not one: tests cannot set their addresses`,
  );
}
