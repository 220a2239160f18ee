import { instance, noColors, noneExpected, quantile, type DashboardSpec, type Row } from './spec.ts';

const health: Row = {
  title: 'Are they there',
  height: 7,
  panels: [
    {
      kind: 'numbers',
      title: 'Stores, by gateway',
      description:
        'Whether each gateway reaches Redis and PostgreSQL. Good: all up. One gateway alone that does not: its network, not the store.',
      runbook: 'Both stores are away',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: 'licensify_store_up{instance=~"$instance"}',
          legend: '{{store}} from {{instance}}',
        },
      ],
      thresholds: ['red', [1, 'green']],
      words: { 0: 'AWAY', 1: 'up' },
    },
    {
      kind: 'lines',
      title: 'Refused since Redis did not decide',
      description: 'Share of the decisions that Redis did not make in time. Good: 0.',
      runbook: 'Redis is slow or hangs',
      width: 8,
      unit: 'percentunit',
      queries: [
        {
          expr: '(sum(rate(licensify_admissions_total{decision="unavailable",instance=~"$instance"}[$__rate_interval])) or vector(0)) / sum(rate(licensify_admissions_total{instance=~"$instance"}[$__rate_interval]))',
          legend: 'unavailable',
        },
      ],
      thresholds: ['green', [0.01, 'red']],
    },
    {
      kind: 'lines',
      title: 'Errors',
      description:
        '`connection`: it broke or could not be made. `operation`: an answer was an error, or came too late. Good: none.',
      runbook: 'Redis is away',
      width: 8,
      unit: 'ops',
      queries: [
        {
          expr: 'sum by (store, kind) (rate(licensify_store_errors_total{instance=~"$instance"}[$__rate_interval]))',
          legend: '{{store}} {{kind}}',
        },
      ],
    },
  ],
};

const redis: Row = {
  title: 'Redis',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Time of commands',
      description:
        '`counters` is what every request waits for. Good: its 99th percentile below 50 ms; it is given up after 150 ms.',
      runbook: 'Redis is slow or hangs',
      width: 12,
      unit: 's',
      queries: [
        {
          expr: quantile(
            0.99,
            'licensify_store_operation_duration_seconds',
            '{store="redis",instance=~"$instance"}',
            ['use'],
          ),
          legend: '{{use}}, 99th percentile',
        },
        {
          expr: quantile(
            0.5,
            'licensify_store_operation_duration_seconds',
            '{store="redis",instance=~"$instance"}',
            ['use'],
          ),
          legend: '{{use}}, median',
        },
      ],
      thresholds: ['green', [0.05, 'orange'], [0.15, 'red']],
    },
    {
      kind: 'lines',
      title: 'Commands',
      description: 'Good: as many `counters` as requests.',
      runbook: 'Redis is slow or hangs',
      width: 6,
      unit: 'ops',
      queries: [
        {
          expr: 'sum by (use) (rate(licensify_store_operation_duration_seconds_count{store="redis",instance=~"$instance"}[$__rate_interval]))',
          legend: '{{use}}',
        },
      ],
    },
    {
      kind: 'numbers',
      title: 'Partitions that lost data',
      description:
        'In the chosen time, of 64, as the gateways found it. Good: 0. Else Redis came back empty or older; its counters start from the ledger.',
      runbook: 'Redis lost its data',
      width: 3,
      unit: 'none',
      queries: [{ expr: 'max(increase(licensify_redis_data_losses_total[$__range]))', legend: 'partitions' }],
      thresholds: noneExpected,
    },
    {
      kind: 'numbers',
      title: 'Memory',
      description:
        'What Redis uses, and the share of its maxmemory. Good: below 70 %. Full, it refuses every request.',
      runbook: 'Redis is full',
      width: 3,
      unit: 'bytes',
      queries: [
        { expr: 'max(licensify_redis_memory_used_bytes)', legend: 'used', thresholds: noColors },
        {
          expr: 'max(licensify_redis_memory_used_bytes / (licensify_redis_memory_max_bytes > 0))',
          legend: 'of maxmemory',
          unit: 'percentunit',
          thresholds: ['green', [0.7, 'orange'], [0.8, 'red']],
          mayBeEmpty: 'Redis may have no maxmemory',
        },
      ],
    },
  ],
};

const postgres: Row = {
  title: 'PostgreSQL',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Time of queries, 99th percentile',
      description: 'Good: below 1 s, `sessions` (keys) a few milliseconds.',
      runbook: 'PostgreSQL is away',
      width: 8,
      unit: 's',
      queries: [
        {
          expr: quantile(
            0.99,
            'licensify_store_operation_duration_seconds',
            '{store="postgres",instance=~"$instance"}',
            ['use'],
          ),
          legend: '{{use}}',
        },
      ],
      thresholds: ['green', [1, 'red']],
    },
    {
      kind: 'lines',
      title: 'Connections in use',
      description: 'Share of a pool’s connections that are at work. Good: below 80 %.',
      runbook: 'PostgreSQL has no connection left',
      width: 8,
      unit: 'percentunit',
      max: 1,
      queries: [
        {
          expr: 'licensify_postgres_connections{state="used",instance=~"$instance"} / ignoring (state) licensify_postgres_connections_max{instance=~"$instance"}',
          legend: '{{pool}} of {{instance}}',
        },
      ],
      thresholds: ['green', [0.8, 'orange']],
    },
    {
      kind: 'lines',
      title: 'Queries that wait for a connection',
      description: 'Good: 0, but for moments.',
      runbook: 'PostgreSQL has no connection left',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: 'sum by (pool) (licensify_postgres_connection_waiters{instance=~"$instance"})',
          legend: '{{pool}}',
        },
      ],
      thresholds: ['green', [1, 'red']],
    },
  ],
};

const ledger: Row = {
  title: 'Ledger',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'Usage late in the ledger',
      description: 'Age of the oldest event that is not yet in PostgreSQL. Good: below 2 s.',
      runbook: 'Usage is not folded',
      width: 8,
      unit: 's',
      queries: [{ expr: 'licensify_ledger_lag_seconds{instance=~"$instance"}', legend: '{{instance}}' }],
      thresholds: ['green', [10, 'orange'], [300, 'red']],
    },
    {
      kind: 'lines',
      title: 'Events that wait',
      description: 'Good: about what a second brings. They fill Redis, 92 B each.',
      runbook: 'Usage is not folded',
      width: 8,
      unit: 'none',
      queries: [{ expr: 'sum(licensify_ledger_waiting_events{instance=~"$instance"})', legend: 'events' }],
    },
    {
      kind: 'lines',
      title: 'Events written, and rounds that failed',
      description: 'Good: as many events as admitted requests, and no failures.',
      runbook: 'Usage is not folded',
      width: 8,
      unit: 'ops',
      queries: [
        {
          expr: 'sum(rate(licensify_ledger_events_total{instance=~"$instance"}[$__rate_interval]))',
          legend: 'events',
        },
        {
          expr: 'sum(rate(licensify_ledger_failures_total{instance=~"$instance"}[$__rate_interval]))',
          legend: 'failed rounds',
        },
      ],
    },
  ],
};

export const stores: DashboardSpec = {
  name: 'stores',
  title: 'Stores and ledger',
  description: 'Redis, PostgreSQL, and the way of usage from one into the other',
  variables: [instance],
  rows: [health, redis, postgres, ledger],
};
