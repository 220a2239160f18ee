import type { StartedServer } from './program-servers.ts';

export const WAY_NAMES = ['env', 'docker', 'programs', 'install'] as const;
export type WayName = (typeof WAY_NAMES)[number];

/** What came of one way: a server, or why there is none this way. */
export type Attempt = { readonly server: StartedServer } | { readonly unavailable: string };

/** One way to get a server. It throws only where going on to the next would hide a mistake. */
export interface Way {
  readonly name: WayName;
  attempt(): Promise<Attempt>;
}

export interface FoundServer extends StartedServer {
  readonly way: WayName;
}

/** The way that TEST_SERVERS forces, if it does. */
export function forcedWay(env: NodeJS.ProcessEnv): WayName | undefined {
  const value = env.TEST_SERVERS;
  if (value === undefined || value === '') return undefined;
  const name = WAY_NAMES.find((way) => way === value);
  if (name === undefined) throw new Error(`TEST_SERVERS is "${value}"; it takes ${WAY_NAMES.join(', ')}.`);
  return name;
}

export interface FindOptions {
  readonly forced?: WayName | undefined;
  readonly say: (line: string) => void;
  /** What to install or set, for the message when no way led to a server. */
  readonly advice: string;
}

/** Takes the first of the ways that has a server, and says which; throws with the reason of each when none has. */
export async function findServer(
  title: string,
  ways: readonly Way[],
  options: FindOptions,
): Promise<FoundServer> {
  const { forced, say, advice } = options;
  const reasons: string[] = [];
  for (const way of ways.filter(({ name }) => forced === undefined || name === forced)) {
    const attempt = await way.attempt();
    if ('server' in attempt) {
      say(`${title}: ${way.name} – ${attempt.server.description}`);
      return { ...attempt.server, way: way.name };
    }
    const reason = `${way.name}: ${attempt.unavailable}`;
    reasons.push(`  ${reason}`);
    if (way.name !== 'env') say(`${title}: not ${reason.replaceAll(/\s+/g, ' ')}`);
  }
  throw new Error([`No ${title} for the tests.`, ...reasons, advice].join('\n'));
}
