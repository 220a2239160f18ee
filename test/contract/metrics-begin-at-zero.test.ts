import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { errorTable } from '../../src/http/errors.ts';
import { parseTiers } from '../../src/licensing/tiers-file.ts';
import { endsOfATier } from '../../src/observe/metrics/from-zero.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { ratedSelectors } from '../support/monitoring/rated-selectors.ts';
import { readRules } from '../support/monitoring/rules.ts';
import { seriesIn, sumOf, type Series } from '../support/monitoring/series.ts';
import { chat } from '../support/proxy-call.ts';

const tier = (id: string, more = ''): string =>
  `[tiers.${id}]\nname = "${id}"\ndaily_limit = 1\nmonthly_limit = -1\nmax_devices = 1\n${more}\n`;
const lenient = 'on_counter_outage = "allow"\noutage_allowance = 5';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway({ tiers: tier('patient') + tier('lenient', lenient) });
});
after(() => gateway.close());

const scrape = async (): Promise<Series[]> => seriesIn(await gateway.metrics());
const tiersOf = (series: Series[], name: string): string[] => [
  ...new Set(series.filter((one) => one.name === name).map(({ labels }) => labels.tier ?? '')),
];

it('whatever an alert takes the rate of is there before its first event', async () => {
  const series = await scrape();
  const selectors = readRules()
    .flatMap(({ expr }) => ratedSelectors(expr))
    .filter(({ name }) => name.startsWith('licensify_'));
  assert.ok(selectors.length > 20);
  for (const { name, labels } of selectors) {
    for (const choice of choices(labels))
      assert.notEqual(sumOf(series, name, choice), undefined, `${name} ${JSON.stringify(choice)}`);
  }
});

/** One value for each label, in every combination. */
function choices(labels: Record<string, string[]>): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (chosen, [label, values]) => chosen.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
    [{}],
  );
}

it('the decisions and failures of every tier begin at 0, and its allowance where it has one', async () => {
  const series = await scrape();
  for (const id of ['patient', 'lenient']) {
    for (const decision of ['admitted', 'refused', 'unavailable'])
      assert.equal(sumOf(series, 'licensify_admissions_total', { tier: id, decision }), 0);
    for (const provider of ['openai', 'anthropic']) {
      for (const outcome of ['ok', 'counters_unavailable', 'database_unavailable', 'internal_error'])
        assert.equal(sumOf(series, 'licensify_requests_total', { tier: id, provider, outcome }), 0);
    }
  }
  assert.equal(sumOf(series, 'licensify_outage_admissions_total', { tier: 'lenient' }), 0);
  assert.deepEqual(tiersOf(series, 'licensify_outage_admissions_total'), ['lenient']);
});

it('a series that begins at 0 is the one that its first event counts in', async () => {
  const { proxyKey } = await gateway.device({ tier: 'patient' });
  const names = (series: Series[]): string[] =>
    series
      .filter(({ name }) => /^licensify_(?:admissions|upstream_errors|requests)_total$/.test(name))
      .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
  const before = names(await scrape());
  assert.equal((await chat(gateway, proxyKey)).status, 200);
  const series = await scrape();
  assert.deepEqual(names(series), before);
  assert.equal(sumOf(series, 'licensify_admissions_total', { tier: 'patient', decision: 'admitted' }), 1);
});

it('the statuses of our own errors are those with which they are answered', () => {
  for (const [outcome, status] of endsOfATier) {
    if (outcome in errorTable)
      assert.equal(errorTable[outcome as keyof typeof errorTable].status, status, outcome);
  }
});

it('new tiers begin at 0 when they come into force, and what was counted stays', async () => {
  const read = parseTiers(tier('patient', lenient) + tier('new'), 'tiers.toml');
  assert.ok(read.ok);
  const before = await scrape();
  assert.equal(await gateway.gateway.tiers.replace(read.tiers), true);
  const series = await scrape();
  assert.equal(sumOf(series, 'licensify_admissions_total', { tier: 'new', decision: 'unavailable' }), 0);
  assert.equal(sumOf(series, 'licensify_outage_admissions_total', { tier: 'patient' }), 0);
  assert.deepEqual(tiersOf(series, 'licensify_outage_admissions_total'), ['lenient', 'patient']);
  const admitted = sumOf(before, 'licensify_admissions_total', { decision: 'admitted' });
  assert.equal(sumOf(series, 'licensify_admissions_total', { decision: 'admitted' }), admitted);
});
