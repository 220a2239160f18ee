import { quantile, type Row } from './spec.ts';

/** What clients notice, over time. */
export const traffic: Row = {
  title: 'Since when, and who notices',
  height: 8,
  panels: [
    {
      kind: 'stacked',
      title: 'Requests by outcome',
      description:
        'Requests that ended, by what became of them. Good: nearly all `ok`, the rest `rate_limit_exceeded` (customers out of quota) and `client_gone`. Anything else is the name of our error.',
      runbook: 'Many requests fail',
      width: 12,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (outcome) (rate(licensify_requests_total[$__rate_interval]))',
          legend: '{{outcome}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Failed by our own fault',
      description:
        'Share of the requests that failed because a store did not answer or we have a fault. Good: below 0.1 %. Above 1.44 % a month’s allowance lasts two days, and somebody is woken.',
      runbook: 'We fail requests ourselves',
      width: 6,
      unit: 'percentunit',
      queries: [
        { expr: 'licensify:unavailable:ratio_rate5m', legend: '5 min' },
        { expr: 'licensify:unavailable:ratio_rate1h', legend: '1 h' },
        { expr: 'licensify:unavailable:ratio_rate6h', legend: '6 h' },
      ],
      thresholds: ['green', [0.001, 'orange'], [0.0144, 'red']],
    },
    {
      kind: 'lines',
      title: 'Added by us',
      description:
        'What the gateway adds to a request: authentication, admission, relaying, and the stores that it asks. Good: the 99th percentile below 0.1 s; on an idle machine it is a few milliseconds.',
      runbook: 'Requests are slow',
      width: 6,
      unit: 's',
      queries: [
        { expr: quantile(0.99, 'licensify_overhead_seconds'), legend: '99th percentile' },
        { expr: quantile(0.5, 'licensify_overhead_seconds'), legend: 'median' },
      ],
      thresholds: ['green', [0.1, 'red']],
    },
  ],
};

/** What it may come from. */
export const causes: Row = {
  title: 'Where it comes from',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Refused for the limit, by tier',
      description:
        'Share of the requests of a tier that found their license used up. Good: what is usual for your tiers; a jump of one tier is a limit set too low, a client in a loop, or a bad release of one.',
      runbook: 'Customers are out of quota',
      width: 6,
      unit: 'percentunit',
      queries: [{ expr: 'licensify:refused:ratio_rate10m', legend: '{{tier}}' }],
    },
    {
      kind: 'stacked',
      title: 'Errors of providers',
      description:
        'Good: none, or a few 429. `auth`: the provider refuses our key, and no request can be served until it is replaced.',
      runbook: 'A provider is unreachable or slow',
      width: 6,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (provider, kind) (rate(licensify_upstream_errors_total[$__rate_interval]))',
          legend: '{{provider}} {{kind}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Stores, 99th percentile',
      description:
        'Time of commands and queries. Good: counters of Redis below 50 ms, PostgreSQL below 1 s. Redis is given up after 150 ms.',
      runbook: 'Redis is slow or hangs',
      width: 6,
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'licensify_store_operation_duration_seconds', '', ['store', 'use']),
          legend: '{{store}} {{use}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Usage late in the ledger',
      description:
        'Age of the oldest event that is not yet in PostgreSQL. Good: below 2 s. While it grows nothing is lost, and Redis fills.',
      runbook: 'Usage is not folded',
      width: 6,
      unit: 's',
      queries: [{ expr: 'max(licensify_ledger_lag_seconds)', legend: 'oldest' }],
      thresholds: ['green', [10, 'orange'], [300, 'red']],
    },
  ],
};

/** Whether there is enough of everything. */
export const capacity: Row = {
  title: 'Capacity and the load balancer',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Busy, by gateway',
      description:
        'Share of the time in which a gateway’s event loop ran code; it has one core. Good: below 60 %, so that the others can take over when one is missing.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'percentunit',
      max: 1,
      queries: [
        {
          expr: 'rate(licensify_event_loop_active_seconds_total[$__rate_interval])',
          legend: '{{instance}}',
        },
      ],
      thresholds: ['green', [0.6, 'orange'], [0.85, 'red']],
    },
    {
      kind: 'lines',
      title: 'Under way',
      description:
        'Requests and event streams that are open now. Good: they follow the traffic. Growing without more traffic: a provider is slow.',
      runbook: 'A provider is unreachable or slow',
      width: 6,
      unit: 'none',
      queries: [
        { expr: 'sum(licensify_open_requests)', legend: 'requests' },
        { expr: 'sum(licensify_open_streams)', legend: 'of them streams' },
      ],
    },
    {
      kind: 'lines',
      title: 'Gateways that HAProxy uses',
      description: 'Good: as many as you run. 0: clients get 503 no_gateway_available.',
      runbook: 'No gateway serves',
      width: 6,
      unit: 'none',
      queries: [
        {
          expr: 'haproxy_backend_active_servers{proxy="gateways"}',
          legend: 'ready',
          mayBeEmpty: 'another load balancer than HAProxy may be in front',
        },
      ],
      thresholds: ['red', [1, 'green']],
    },
    {
      kind: 'stacked',
      title: 'Answers of HAProxy',
      description:
        'What clients get in the end, by class. Good: 2xx and some 4xx. 5xx here that are not among our outcomes are HAProxy’s own: no gateway was free.',
      runbook: 'The load balancer is down',
      width: 6,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (code) (rate(haproxy_backend_http_responses_total{proxy="gateways"}[$__rate_interval]))',
          legend: '{{code}}',
          mayBeEmpty: 'another load balancer than HAProxy may be in front',
        },
      ],
    },
  ],
};
