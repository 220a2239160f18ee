import { capacity, causes, traffic } from './overview-causes.ts';
import { noneExpected, type DashboardSpec, type Row } from './spec.ts';

const firstRow: Row = {
  title: 'What is wrong',
  height: 8,
  panels: [
    {
      kind: 'alerts',
      title: 'Alerts',
      description:
        'Firing and pending alerts, the most urgent first. Good: none. Each says what is wrong, with numbers, and its `runbook_url` what to do.',
      runbook: 'First look',
      width: 8,
    },
    {
      kind: 'numbers',
      title: 'Firing',
      description: 'How many alerts fire. Good: 0. Critical ones wake somebody.',
      runbook: 'First look',
      width: 3,
      unit: 'none',
      queries: [
        {
          expr: 'count(ALERTS{alertstate="firing",severity="critical"}) or vector(0)',
          legend: 'critical',
          thresholds: noneExpected,
        },
        {
          expr: 'count(ALERTS{alertstate="firing",severity="warning"}) or vector(0)',
          legend: 'warning',
          thresholds: ['green', [1, 'orange']],
        },
      ],
    },
    {
      kind: 'numbers',
      title: 'Objectives, 5 min',
      description:
        'Good: of all requests, 99.9 % do not fail by our own fault, and to 99 % we add less than 0.1 s. Orange: missed at the moment. Red: missed at a rate at which somebody is woken. "none": there is no traffic.',
      runbook: 'We fail requests ourselves',
      width: 4,
      unit: 'percentunit',
      queries: [
        {
          expr: '1 - licensify:unavailable:ratio_rate5m',
          legend: 'available',
          thresholds: ['red', [0.9856, 'orange'], [0.999, 'green']],
        },
        {
          expr: '1 - licensify:slow:ratio_rate5m',
          legend: 'added < 0.1 s',
          thresholds: ['red', [0.856, 'orange'], [0.99, 'green']],
        },
      ],
      leadsTo: 'instances',
    },
    {
      kind: 'numbers',
      title: 'Stores',
      description:
        'Good: both up. Redis away: requests get 503 counters_unavailable. PostgreSQL away: keys that were used in the last 10 minutes go on, the rest gets 503.',
      runbook: 'Redis is away',
      width: 3,
      unit: 'none',
      queries: [{ expr: 'min by (store) (licensify_store_up)', legend: '{{store}}' }],
      thresholds: ['red', [1, 'green']],
      words: { 0: 'AWAY', 1: 'up' },
      leadsTo: 'stores',
    },
    {
      kind: 'numbers',
      title: 'Failed by providers, 5 min',
      description:
        'Share of the requests to a provider that it failed (5xx, unreachable, too slow, broken off) or limited (429). Good: below 5 %. That it refuses our key is a failure of all requests, and an alert of its own.',
      runbook: 'A provider is unreachable or slow',
      width: 3,
      unit: 'percentunit',
      queries: [
        { expr: 'licensify:provider_failed:ratio_rate5m', legend: '{{provider}} fails' },
        { expr: 'licensify:provider_limited:ratio_rate5m', legend: '{{provider}} limits us' },
      ],
      thresholds: ['green', [0.05, 'orange'], [0.5, 'red']],
      leadsTo: 'providers',
    },
    {
      kind: 'numbers',
      title: 'Gateways',
      description: 'Good: as many as you run, and none that does not answer.',
      runbook: 'A gateway is down',
      width: 3,
      unit: 'none',
      queries: [
        {
          expr: 'sum(up{job="gateway"}) or vector(0)',
          legend: 'serve',
          thresholds: ['red', [1, 'green']],
        },
        {
          expr: 'count(up{job="gateway"} == 0) or vector(0)',
          legend: 'do not answer',
          thresholds: noneExpected,
        },
      ],
      leadsTo: 'instances',
    },
  ],
};

export const overview: DashboardSpec = {
  name: 'overview',
  title: 'Overview',
  description: 'What is wrong, since when, who notices, and where it comes from',
  variables: [],
  rows: [firstRow, traffic, causes, capacity],
};
