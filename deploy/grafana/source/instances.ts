import { eventLoop, memory, surroundings } from './instances-resources.ts';
import { instance, type DashboardSpec, type Row } from './spec.ts';

const health: Row = {
  title: 'Which gateways there are',
  height: 7,
  panels: [
    {
      kind: 'numbers',
      title: 'Gateways',
      description: 'Good: all answer. One that does not is left out by the load balancer within a second.',
      runbook: 'A gateway is down',
      width: 8,
      unit: 'none',
      queries: [{ expr: 'up{job="gateway",instance=~"$instance"}', legend: '{{instance}}' }],
      thresholds: ['red', [1, 'green']],
      words: { 0: 'DOWN', 1: 'up' },
    },
    {
      kind: 'numbers',
      title: 'Starts',
      description:
        'How often each has started in the chosen time. Good: once for each release, and not otherwise.',
      runbook: 'A gateway is down',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: 'changes(process_start_time_seconds{job="gateway",instance=~"$instance"}[$__range])',
          legend: '{{instance}}',
        },
      ],
      thresholds: ['green', [1, 'orange'], [3, 'red']],
    },
    {
      kind: 'numbers',
      title: 'Versions',
      description:
        'How many gateways run which version. Good: one version, but for the minutes of a release.',
      runbook: 'Upgrading',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: 'count by (version, node) (licensify_build_info{instance=~"$instance"})',
          legend: '{{version}} on Node.js {{node}}',
        },
      ],
    },
  ],
};

const load: Row = {
  title: 'Load',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Requests',
      description: 'Good: alike on all gateways, since the load balancer asks the least busy one.',
      runbook: 'Gateways are busy',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (instance) (rate(licensify_requests_total{instance=~"$instance"}[$__rate_interval]))',
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Under way',
      description: 'Open requests, streams included. Good: alike on all gateways.',
      runbook: 'Gateways are busy',
      width: 8,
      unit: 'none',
      queries: [{ expr: 'licensify_open_requests{instance=~"$instance"}', legend: '{{instance}}' }],
    },
    {
      kind: 'lines',
      title: 'Requests that fail, by gateway',
      description:
        'Requests that we failed ourselves. Good: none. One gateway alone: look at its log, and take it out of service.',
      runbook: 'We fail requests ourselves',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (instance, outcome) (rate(licensify_requests_total{outcome=~"counters_unavailable|database_unavailable|internal_error",instance=~"$instance"}[$__rate_interval]))',
          legend: '{{instance}} {{outcome}}',
          mayBeEmpty: 'a gateway that has failed nothing yet has no such series',
        },
      ],
    },
  ],
};

export const instances: DashboardSpec = {
  name: 'instances',
  title: 'Instances',
  description: 'Each gateway: whether it is up, what it does, and how near it is to what it can do',
  variables: [instance],
  rows: [health, load, eventLoop, memory, surroundings],
};
