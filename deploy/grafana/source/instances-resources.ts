import type { Row } from './spec.ts';

/** The one core that each has. */
export const eventLoop: Row = {
  title: 'Processor and event loop',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Event loop busy',
      description:
        'Share of the time in which it ran code. Good: below 60 %. At 100 % the gateway can do no more.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'percentunit',
      max: 1,
      queries: [
        {
          expr: 'rate(licensify_event_loop_active_seconds_total{instance=~"$instance"}[$__rate_interval])',
          legend: '{{instance}}',
        },
      ],
      thresholds: ['green', [0.6, 'orange'], [0.85, 'red']],
    },
    {
      kind: 'lines',
      title: 'Longest standstill',
      description:
        'The longest delay of the event loop between two scrapes. Good: below 0.1 s; 10 ms is rest.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 's',
      queries: [
        {
          expr: 'nodejs_eventloop_lag_max_seconds{job="gateway",instance=~"$instance"}',
          legend: '{{instance}}',
        },
      ],
      thresholds: ['green', [0.1, 'orange'], [0.5, 'red']],
    },
    {
      kind: 'lines',
      title: 'Processor',
      description:
        'Cores in use. Good: below 0.6; the event loop has one, and the garbage collector some of another.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'none',
      queries: [
        {
          expr: 'rate(process_cpu_seconds_total{job="gateway",instance=~"$instance"}[$__rate_interval])',
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Garbage collection',
      description: 'Share of the time that its pauses take. Good: below 5 %.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'percentunit',
      queries: [
        {
          expr: 'sum by (instance) (rate(nodejs_gc_duration_seconds_sum{job="gateway",instance=~"$instance"}[$__rate_interval]))',
          legend: '{{instance}}',
        },
      ],
      thresholds: ['green', [0.05, 'orange'], [0.2, 'red']],
    },
  ],
};

/** What grows with what is open. */
export const memory: Row = {
  title: 'Memory and files',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Memory',
      description: 'Resident. Good: 150 to 300 MB and level, and 100 kB more for each open stream.',
      runbook: 'Sizing',
      width: 6,
      unit: 'bytes',
      queries: [
        {
          expr: 'process_resident_memory_bytes{job="gateway",instance=~"$instance"}',
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Heap in use',
      description:
        'JavaScript’s own part. Good: it goes up and down. A floor that rises for hours is a leak.',
      runbook: 'Sizing',
      width: 6,
      unit: 'bytes',
      queries: [
        {
          expr: 'nodejs_heap_size_used_bytes{job="gateway",instance=~"$instance"}',
          legend: '{{instance}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Open files and connections',
      description: 'Share of what the process may open. Good: below 80 %.',
      runbook: 'Gateways are busy',
      width: 6,
      unit: 'percentunit',
      queries: [
        {
          expr: 'process_open_fds{job="gateway",instance=~"$instance"} / process_max_fds',
          legend: '{{instance}}',
        },
      ],
      thresholds: ['green', [0.8, 'red']],
    },
    {
      kind: 'lines',
      title: 'Keys in memory',
      description: 'Good: as many as devices were active within ten minutes; 100,000 at most.',
      runbook: 'Sizing',
      width: 6,
      unit: 'none',
      queries: [{ expr: 'licensify_sessions_cached{instance=~"$instance"}', legend: '{{instance}}' }],
    },
  ],
};

/** What can run out beside them. */
export const surroundings: Row = {
  title: 'What is around them',
  height: 6,
  panels: [
    {
      kind: 'numbers',
      title: 'Certificate ends in',
      description: 'What is left of the certificate that clients see. Good: more than 14 days.',
      runbook: 'The certificate ends',
      width: 6,
      unit: 's',
      queries: [
        {
          expr: 'min by (host) (licensify_certificate_expiry_timestamp_seconds) - time()',
          legend: '{{host}}',
          mayBeEmpty: 'clients may use plain HTTP, or the gateways may not know their address',
        },
      ],
      thresholds: ['red', [172_800, 'orange'], [1_209_600, 'green']],
    },
    {
      kind: 'numbers',
      title: 'Disk of the embedded database',
      description: 'Share that is free. Good: more than 10 %. With PostgreSQL there is none; watch its own.',
      runbook: 'A disk is nearly full',
      width: 6,
      unit: 'percentunit',
      queries: [
        {
          expr: 'licensify_data_dir_free_bytes{instance=~"$instance"} / licensify_data_dir_size_bytes',
          legend: '{{instance}}',
          mayBeEmpty: 'with PostgreSQL there is no embedded database',
        },
      ],
      thresholds: ['red', [0.1, 'orange'], [0.2, 'green']],
    },
    {
      kind: 'numbers',
      title: 'Alertmanagers',
      description: 'How many Prometheus hands its alerts to. Good: 1 or more.',
      runbook: 'Alerts reach nobody',
      width: 6,
      unit: 'none',
      queries: [{ expr: 'max(prometheus_notifications_alertmanagers_discovered)', legend: 'known' }],
      thresholds: ['red', [1, 'green']],
    },
    {
      kind: 'numbers',
      title: 'Messages that Alertmanager could not send',
      description: 'In the chosen time, to the pager, the mail server and so on. Good: 0.',
      runbook: 'Alerts reach nobody',
      width: 6,
      unit: 'none',
      queries: [
        {
          expr: 'sum(increase(alertmanager_notifications_failed_total[$__range]))',
          legend: 'failed',
        },
      ],
      thresholds: ['green', [1, 'red']],
    },
  ],
};
