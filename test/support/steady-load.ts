import http from 'node:http';
import { after } from 'node:test';
import { postChat } from './burst.ts';
import type { TestGateway } from './gateway.ts';

/** One request of a load, as its client saw it. */
export interface Shot {
  /** When it was sent and answered, as of `performance.now()`. */
  sentAt: number;
  answeredAt: number;
  /** 0: the connection broke. */
  status: number;
  /** The error's code; '' where there is none. */
  code: string;
  gateway: number;
}

export interface SteadyLoad {
  /** What has been answered so far. */
  readonly shots: readonly Shot[];
  /** Sends no more, and waits for what is under way. */
  stop(): Promise<readonly Shot[]>;
}

export interface LoadOptions {
  /** How many requests are under way at any time, over all gateways. */
  width?: number;
  /** How long each sender rests after an answer. Milliseconds. */
  restMs?: number;
  body?: unknown;
}

/** Loads that a failed test did not stop would keep its process for ever. */
const running = new Set<SteadyLoad>();
after(() => Promise.all([...running].map((load) => load.stop())));

const BODY = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };

/** Sends chat completions until it is stopped, in turns to each of the gateways. */
export function startLoad(
  gateways: readonly Pick<TestGateway, 'url'>[],
  proxyKey: string,
  { width = 8, restMs = 5, body = BODY }: LoadOptions = {},
): SteadyLoad {
  const agent = new http.Agent({ keepAlive: true, maxSockets: width });
  const shots: Shot[] = [];
  const payload = JSON.stringify(body);
  let isRunning = true;
  const sender = async (turn: number): Promise<void> => {
    const gateway = turn % gateways.length;
    const url = gateways[gateway]?.url ?? '';
    while (isRunning) {
      shots.push({ ...(await shoot(url, proxyKey, payload, agent)), gateway });
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  };
  const senders = Array.from({ length: width }, (_, turn) => sender(turn));
  const load: SteadyLoad = {
    shots,
    async stop() {
      isRunning = false;
      running.delete(load);
      await Promise.all(senders);
      agent.destroy();
      return shots;
    },
  };
  running.add(load);
  return load;
}

/** One chat completion, timed. */
export async function shoot(
  url: string,
  proxyKey: string,
  payload: string,
  agent?: http.Agent,
): Promise<Omit<Shot, 'gateway'>> {
  const sentAt = performance.now();
  try {
    const { status, body } = await postChat(url, proxyKey, payload, agent);
    return { sentAt, answeredAt: performance.now(), status, code: status === 200 ? '' : codeIn(body) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { sentAt, answeredAt: performance.now(), status: 0, code };
  }
}

function codeIn(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: string } };
    return error?.code ?? '';
  } catch {
    return body.slice(0, 80);
  }
}

/** How often each outcome was seen: `{"200": 17, "503 counters_unavailable": 3}`. */
export function outcomes(shots: readonly Shot[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, code } of shots) {
    const outcome = `${status} ${code}`.trim();
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** How long the slowest of them took, and the one that 99 % were faster than. Milliseconds. */
export function waits(shots: readonly Shot[]): { longest: number; p99: number } {
  const times = shots.map(({ sentAt, answeredAt }) => answeredAt - sentAt).sort((a, b) => a - b);
  return {
    longest: Math.round(times.at(-1) ?? 0),
    p99: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
  };
}
