import { globSync } from 'node:fs';

/** Test files, and how many of them run at the same time. */
export interface Share {
  readonly files: readonly string[];
  readonly concurrency: number;
}

/**
 * Files of the default run that mostly wait: for time-outs and intervals of the gateway, and for processes. One at a
 * time they take little of what the others need, and are done when those are.
 */
const WAITING = [
  'test/clients/typescript-signs-as-its-tier-asks.test.ts',
  'test/clients/typescript-waits-out-a-503.test.ts',
  'test/contract/cli-serve-refuses-to-start.test.ts',
  'test/contract/doctor-stores-that-hang.test.ts',
  'test/contract/license-attempts-count-right.test.ts',
  'test/contract/signup-mail-trouble.test.ts',
  'test/contract/tracing-tells-each-step.test.ts',
  'test/contract/upstream-silence-times-out.test.ts',
  'test/contract/webhook-events-of-a-license.test.ts',
  'test/contract/webhook-retries.test.ts',
  'test/contract/webhook-slow-endpoint-delays-no-other.test.ts',
  'test/contract/webhook-survives-sigkill.test.ts',
  'test/contract/webhook-usage-threshold-is-told-once.test.ts',
  'test/unit/quota-redis-admission.test.ts',
  'test/unit/servers-for-tests.test.ts',
];

/**
 * Files of chaos and cluster in which an outage lasts for seconds, and whose limits are far from what they measure: some
 * at the same time leave a good part of the machine idle.
 */
const OUTAGES = [
  'test/chaos/postgres-away-forgets-no-revocation.test.ts',
  'test/chaos/redis-away-provider-key-within-30-s.test.ts',
  'test/chaos/redis-away-revocation-within-30-s.test.ts',
  'test/chaos/redis-flapping-is-counted-exactly.test.ts',
  'test/chaos/redis-forgot-its-last-moments.test.ts',
  'test/chaos/redis-full-serves-again.test.ts',
  'test/chaos/redis-silent-network-is-given-up.test.ts',
  'test/cluster/redis-cluster-closed-lets-the-process-end.test.ts',
];
/** As long as all of those, by the intervals of Prometheus. */
const MONITORING = ['test/cluster/monitoring-every-query-has-data.test.ts'];

/**
 * What runs after each other, each stage with what runs beside each other in it: the default run; outages; what
 * measures times or starts many processes, each file with the machine for itself; the leak scan, which reads what all
 * others leave behind.
 * @throws if a file that is named here is not there
 */
export function testStages(project: string): Share[][] {
  const filesIn = (pattern: string): string[] => globSync(pattern, { cwd: project }).sort();
  const others = filesIn('test/{unit,contract,security,clients}/**/*.test.ts');
  const alone = filesIn('test/{cluster,chaos}/**/*.test.ts');
  const [waiting, outages, monitoring] = [
    take(WAITING, others),
    take(OUTAGES, alone),
    take(MONITORING, alone),
  ];
  return [
    [
      { files: others, concurrency: 2 },
      { files: waiting, concurrency: 1 },
    ],
    [
      { files: outages, concurrency: 2 },
      { files: monitoring, concurrency: 1 },
    ],
    [{ files: alone, concurrency: 1 }],
    [{ files: filesIn('test/leaks/*.test.ts'), concurrency: 1 }],
  ];
}

/** Takes the names out of the files. */
function take(names: readonly string[], files: string[]): readonly string[] {
  for (const name of names) {
    const index = files.indexOf(name);
    if (index < 0) throw new Error(`test-files.ts names ${name}, which is not there`);
    files.splice(index, 1);
  }
  return names;
}
