import { noneExpected, provider, quantile, type DashboardSpec, type Row } from './spec.ts';

const health: Row = {
  title: 'Do they answer',
  height: 8,
  panels: [
    {
      kind: 'numbers',
      title: 'Failed and limited, 5 min',
      description:
        'Share of the requests that a provider failed, or limited (429). Good: below 5 %. Their own status pages say more.',
      runbook: 'A provider is unreachable or slow',
      width: 6,
      unit: 'percentunit',
      queries: [
        {
          expr: 'licensify:provider_failed:ratio_rate5m{provider=~"$provider"}',
          legend: '{{provider}} fails',
        },
        {
          expr: 'licensify:provider_limited:ratio_rate5m{provider=~"$provider"}',
          legend: '{{provider}} limits us',
        },
      ],
      thresholds: ['green', [0.05, 'orange'], [0.5, 'red']],
    },
    {
      kind: 'numbers',
      title: 'Keys in use',
      description:
        'Fingerprints of the real keys, and on how many gateways each is used. Good: one for each provider, everywhere the same, but for the seconds of a change.',
      runbook: 'A provider refuses our key',
      width: 4,
      unit: 'none',
      queries: [
        {
          expr: 'count by (provider, fingerprint, source) (licensify_provider_key_info{provider=~"$provider"})',
          legend: '{{provider}} {{fingerprint}} ({{source}})',
        },
      ],
    },
    {
      kind: 'numbers',
      title: 'Our key refused, 5 min',
      description:
        'Requests for which a provider refused our key. Good: 0. Otherwise nobody is served by it until the key is replaced.',
      runbook: 'A provider refuses our key',
      width: 4,
      unit: 'none',
      queries: [
        {
          expr: 'sum by (provider) (increase(licensify_upstream_errors_total{kind="auth",provider=~"$provider"}[5m]))',
          legend: '{{provider}}',
        },
      ],
      thresholds: noneExpected,
    },
    {
      kind: 'stacked',
      title: 'Errors, by kind',
      description:
        'Good: none. `rate_limited`: our account is at its limit. `unreachable`, `timeout`, `cut_short`: the network, or they.',
      runbook: 'A provider is unreachable or slow',
      width: 10,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (provider, kind) (rate(licensify_upstream_errors_total{provider=~"$provider"}[$__rate_interval]))',
          legend: '{{provider}} {{kind}}',
        },
      ],
    },
  ],
};

const requests: Row = {
  title: 'Requests',
  height: 8,
  panels: [
    {
      kind: 'stacked',
      title: 'Requests, by status',
      description:
        'What clients got. Good: 200, and 429 where licenses are used up. 0: they had left before a head.',
      runbook: 'Many requests fail',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (provider, status) (rate(licensify_requests_total{provider=~"$provider"}[$__rate_interval]))',
          legend: '{{provider}} {{status}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Time to the first byte',
      description:
        'From passing a request on to the head of the answer. Good: as on other days; large models take seconds, and longer where they do not stream.',
      runbook: 'A provider is unreachable or slow',
      width: 8,
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'licensify_time_to_first_byte_seconds', '{provider=~"$provider"}', [
            'provider',
            'stream',
          ]),
          legend: '{{provider}}, stream: {{stream}}, 99th percentile',
        },
        {
          expr: quantile(0.5, 'licensify_time_to_first_byte_seconds', '{provider=~"$provider"}', [
            'provider',
            'stream',
          ]),
          legend: '{{provider}}, stream: {{stream}}, median',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Time to the end of the answer',
      description: 'Good: as on other days. Streams last as long as the model writes.',
      runbook: 'A provider is unreachable or slow',
      width: 8,
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'licensify_request_duration_seconds', '{provider=~"$provider"}', [
            'provider',
            'stream',
          ]),
          legend: '{{provider}}, stream: {{stream}}, 99th percentile',
        },
        {
          expr: quantile(0.5, 'licensify_request_duration_seconds', '{provider=~"$provider"}', [
            'provider',
            'stream',
          ]),
          legend: '{{provider}}, stream: {{stream}}, median',
        },
      ],
    },
  ],
};

const amounts: Row = {
  title: 'How much',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Added by us, 99th percentile',
      description: 'Good: below 0.1 s. It is ours, not the provider’s.',
      runbook: 'Requests are slow',
      width: 6,
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'licensify_overhead_seconds', '{provider=~"$provider"}', ['provider']),
          legend: '{{provider}}',
        },
      ],
      thresholds: ['green', [0.1, 'red']],
    },
    {
      kind: 'lines',
      title: 'Broken off',
      description:
        'Answers that did not reach their end: the client left (`client_gone`), the provider died (`cut_short`), the key was revoked. Good: few; clients leave all the time.',
      runbook: 'Many requests fail',
      width: 6,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (provider, outcome) (rate(licensify_requests_total{outcome=~"client_gone|cut_short|revoked",provider=~"$provider"}[$__rate_interval]))',
          legend: '{{provider}} {{outcome}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Bytes',
      description: 'From clients, and to them. Good: as on other days.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'Bps',
      queries: [
        {
          expr: 'sum by (provider) (rate(licensify_request_bytes_total{provider=~"$provider"}[$__rate_interval]))',
          legend: '{{provider}} from clients',
        },
        {
          expr: 'sum by (provider) (rate(licensify_response_bytes_total{provider=~"$provider"}[$__rate_interval]))',
          legend: '{{provider}} to clients',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Open streams',
      description: 'Event streams that are being passed on. Good: they follow the traffic.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'none',
      queries: [{ expr: 'sum by (instance) (licensify_open_streams)', legend: '{{instance}}' }],
    },
  ],
};

export const providers: DashboardSpec = {
  name: 'providers',
  title: 'Providers',
  description: 'OpenAI and Anthropic: whether they answer, how fast, and whether they take our key',
  variables: [provider],
  rows: [health, requests, amounts],
};
