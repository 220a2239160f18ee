import { noneExpected, quantile, type Row } from './spec.ts';

/** Which keys are asked for, and how soon a change of a license is in force. */
export const keys: Row = {
  title: 'Keys and revocation',
  height: 8,
  panels: [
    {
      kind: 'stacked',
      title: 'Keys looked up',
      description:
        'Good: mostly `hit`. `stale`: PostgreSQL is away and memory is trusted. `never_issued`: somebody tries keys that we never gave out.',
      runbook: 'Somebody tries keys',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (result) (rate(licensify_session_lookups_total[$__rate_interval]))',
          legend: '{{result}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Revocation, 99th percentile',
      description: 'From a change of a license to its effect on every gateway. Good: below 1 s.',
      runbook: 'Revocation is slow',
      width: 8,
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'licensify_revocation_seconds', '', ['effect']),
          legend: '{{effect}}',
        },
      ],
      thresholds: ['green', [1, 'red']],
    },
    {
      kind: 'numbers',
      title: 'News of changes',
      description: 'Good: they arrive on every gateway. Where they do not, a revocation takes up to 30 s.',
      runbook: 'Revocation is slow',
      width: 4,
      unit: 'none',
      queries: [{ expr: 'min(licensify_announcements_live)', legend: 'news' }],
      thresholds: ['red', [1, 'green']],
      words: { 0: 'MISSING', 1: 'arrive' },
    },
    {
      kind: 'numbers',
      title: 'Let through without counters',
      description:
        'Requests in the chosen time that were let through while Redis was away, in tiers with `on_counter_outage = "allow"`. Good: 0.',
      runbook: 'Redis is away',
      width: 4,
      unit: 'none',
      queries: [
        {
          expr: 'sum(increase(licensify_outage_admissions_total{tier=~"$tier"}[$__range])) or vector(0)',
          legend: 'requests',
        },
      ],
      thresholds: noneExpected,
    },
  ],
};

/** Activation, checks, administration. */
export const endpoints: Row = {
  title: 'Our own endpoints',
  height: 8,
  panels: [
    {
      kind: 'stacked',
      title: 'Answers',
      description:
        'Activations, checks, administration. Good: 2xx. Many 401 or 429: somebody tries license keys. 5xx: PostgreSQL is away.',
      runbook: 'Somebody tries keys',
      width: 12,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (endpoint, status) (rate(licensify_endpoint_duration_seconds_count[$__rate_interval]))',
          legend: '{{endpoint}} {{status}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Time to the answer, 99th percentile',
      description: 'Good: well below a second; they ask PostgreSQL.',
      runbook: 'PostgreSQL is away',
      width: 12,
      unit: 's',
      queries: [
        {
          expr: quantile(0.99, 'licensify_endpoint_duration_seconds', '', ['endpoint']),
          legend: '{{endpoint}}',
        },
      ],
      thresholds: ['green', [1, 'red']],
    },
  ],
};

/** What goes out and comes in beside requests. */
export const messages: Row = {
  title: 'Tiers and messages',
  height: 7,
  panels: [
    {
      kind: 'lines',
      title: 'New tiers',
      description:
        'Changes of the tiers while the gateways run, by gateway. Good: `replaced` on all of them when you changed something. `refused`: the new ones have a mistake, which the log names, and the old ones stay in force.',
      runbook: 'Messages and new tiers do not arrive',
      width: 6,
      unit: 'none',
      queries: [
        {
          expr: 'sum by (instance, outcome) (increase(licensify_tiers_changes_total[$__rate_interval]))',
          legend: '{{instance}} {{outcome}}',
        },
      ],
    },
    {
      kind: 'stacked',
      title: 'Webhooks',
      description: 'Attempts to deliver one. Good: `delivered`. `failed`: it is tried again, or given up.',
      runbook: 'Messages and new tiers do not arrive',
      width: 6,
      unit: 'ops',
      queries: [
        {
          expr: 'sum by (outcome) (rate(licensify_webhook_attempts_total[$__rate_interval]))',
          legend: '{{outcome}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Oldest webhook that waits',
      description: 'Good: a few seconds. Minutes: its receiver does not answer, and it is tried again.',
      runbook: 'Messages and new tiers do not arrive',
      width: 6,
      unit: 's',
      queries: [{ expr: 'max(licensify_webhook_oldest_pending_seconds)', legend: 'oldest' }],
      thresholds: ['green', [300, 'orange'], [3600, 'red']],
    },
    {
      kind: 'stacked',
      title: 'Mails',
      description: 'Tries to send one. Good: `sent`. After `failed` there is no further try.',
      runbook: 'Messages and new tiers do not arrive',
      width: 6,
      unit: 'ops',
      queries: [
        {
          expr: 'sum by (kind, outcome) (rate(licensify_mails_total[$__rate_interval]))',
          legend: '{{kind}} {{outcome}}',
          mayBeEmpty: 'mail may not be set up',
        },
      ],
    },
  ],
};
