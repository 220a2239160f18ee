import { createServer } from 'node:http';
import { LICENSE_HEADER } from '../support/cluster/load.ts';
import { startSimulator } from '../support/simulator/simulator.ts';

/** What the simulated providers have seen so far; `GET /seen` on port 9001 answers it. */
export interface Seen {
  /** Requests of each license, by its id. */
  requests: Record<string, number>;
  /** When requests were given up by their sender. Date.now() of this machine. */
  abortedAt: number[];
  openRequests: number;
}

// The provider's side of the stack test, in a container of its own.
const seen: Omit<Seen, 'openRequests'> = { requests: {}, abortedAt: [] };
const simulator = await startSimulator({ port: 9000, host: '0.0.0.0', record: false });
simulator.behave((request) => {
  const license = String(request.headers[LICENSE_HEADER]);
  seen.requests[license] = (seen.requests[license] ?? 0) + 1;
  void request.closed.then(() => {
    if (request.aborted) seen.abortedAt.push(request.closedAt ?? 0);
  });
  return {}; // an answer of a healthy provider; undefined would have it asked, and counted, twice
});
const control = createServer((_request, response) => {
  response.end(JSON.stringify({ ...seen, openRequests: simulator.openRequests() } satisfies Seen));
});
control.listen(9001, '0.0.0.0');

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
