import { json } from 'node:stream/consumers';
import autocannon, { type Result } from 'autocannon';
import { percentile } from '../statistics.ts';
import type { Order } from './autocannon.ts';
import type { LoadResult } from './load.ts';

// Reads what to send as JSON from standard input and prints what came of it.
const { url, headers, body, connections, seconds } = (await json(process.stdin)) as Order;

// autocannon's own histogram has a resolution of 1 ms, as much as the gateway may add.
const latencies: number[] = [];
const { promise, resolve, reject } = Promise.withResolvers<Result>();
const options = {
  url,
  method: 'POST',
  headers,
  body: Buffer.from(body, 'latin1'),
  connections,
  duration: seconds,
  timeout: 20,
} as const;
const run = autocannon(options, (error: Error | null, done) => {
  if (error === null) resolve(done);
  else reject(error);
});
run.on('response', (_client, _status, _bytes, milliseconds) => void latencies.push(milliseconds));
const result = await promise;

const answer: LoadResult = {
  answered: latencies.length,
  refused: result.non2xx,
  broken: result.errors + result.timeouts,
  bytes: result.throughput.total,
  seconds: result.duration,
  p50: percentile(latencies, 50),
  p99: percentile(latencies, 99),
};
console.log(JSON.stringify(answer));
