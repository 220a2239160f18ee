import { endpoints, keys, messages } from './limits-around.ts';
import { tier, type DashboardSpec, type Row } from './spec.ts';

const decisions: Row = {
  title: 'Decisions',
  height: 8,
  panels: [
    {
      kind: 'stacked',
      title: 'Decisions of the quota',
      description:
        'Good: mostly `admitted`. `unavailable`: Redis could not be asked, and the client got 503 or, in tiers that allow it, was let through.',
      runbook: 'Customers are out of quota',
      width: 12,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (decision) (rate(licensify_admissions_total{tier=~"$tier"}[$__rate_interval]))',
          legend: '{{decision}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: 'Refused, by tier, 10 min',
      description: 'Share of a tier’s requests that were over the limit. Good: what is usual for the tier.',
      runbook: 'Customers are out of quota',
      width: 6,
      unit: 'percentunit',
      queries: [{ expr: 'licensify:refused:ratio_rate10m{tier=~"$tier"}', legend: '{{tier}}' }],
      thresholds: ['green', [0.3, 'red']],
    },
    {
      kind: 'lines',
      title: 'Refused, by what was used up',
      description:
        'Good: `day` at times. `month`: these customers are out until the first of the next month; somebody may want to offer them more.',
      runbook: 'Customers are out of quota',
      width: 6,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (tier, window) (rate(licensify_admissions_total{decision="refused",tier=~"$tier"}[$__rate_interval]))',
          legend: '{{tier}} {{window}}',
        },
      ],
    },
  ],
};

const licenses: Row = {
  title: 'Licenses near their limits',
  height: 8,
  panels: [
    {
      kind: 'lines',
      title: 'All used up',
      description:
        'Licenses that have used all of their day or month. Good: few, and late in the day. They begin anew at midnight UTC, and on the first of the month.',
      runbook: 'Customers are out of quota',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: 'max by (tier, window) (licensify_licenses_near_limit{level="100",tier=~"$tier"})',
          legend: '{{tier}} {{window}}',
        },
      ],
    },
    {
      kind: 'lines',
      title: '80 % used up',
      description:
        'Licenses that have used 80 % or more: those that will be refused next. Good: as on other days.',
      runbook: 'Customers are out of quota',
      width: 8,
      unit: 'none',
      queries: [
        {
          expr: 'max by (tier, window) (licensify_licenses_near_limit{level="80",tier=~"$tier"})',
          legend: '{{tier}} {{window}}',
        },
      ],
    },
    {
      kind: 'stacked',
      title: 'Requests, by tier',
      description:
        'Good: as on other days. `none`: without a valid key. One tier that grows alone: a client in a loop.',
      runbook: 'Customers are out of quota',
      width: 8,
      unit: 'reqps',
      queries: [
        {
          expr: 'sum by (tier) (rate(licensify_requests_total{tier=~"$tier"}[$__rate_interval]))',
          legend: '{{tier}}',
        },
      ],
    },
  ],
};

export const limits: DashboardSpec = {
  name: 'limits',
  title: 'Rate limits and licenses',
  description: 'Who is refused and why, who will be next, keys and revocation',
  variables: [tier],
  rows: [decisions, licenses, keys, endpoints, messages],
};
