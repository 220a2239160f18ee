import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { ReadFamily } from './families.ts';

/** What runs, and how busy it is. */
export function addProcessMetrics(registry: Registry, version: string): void {
  collectDefaultMetrics({ register: registry });
  // Its rate is the share of time in which the event loop was busy: what Node's own lag cannot tell, which is never below
  // the 10 ms at which it is sampled.
  new ReadFamily(registry, {
    name: 'licensify_event_loop_active_seconds_total',
    help: 'Time in which the event loop ran code instead of waiting',
    labels: [],
    type: 'counter',
  }).from(() => [[performance.eventLoopUtilization().active / 1_000]]);
  new Gauge({
    name: 'licensify_build_info',
    help: 'Always 1; the labels say what runs',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
}
