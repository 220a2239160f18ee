import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common';
import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard';
import { parse } from 'yaml';
import type { DashboardName } from './spec.ts';

/** The Prometheus that is chosen at the top of a dashboard. */
export const datasource: DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** A dashboard's identity, and the end of its address: `/d/licensify-overview`. */
export function uidOf(name: DashboardName): string {
  return `licensify-${name}`;
}

/** The anchor of a heading of docs/operations.md, as most renderers of Markdown make it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}

/** A link to another dashboard. */
export function linkTo(title: string, name: DashboardName, query = ''): DashboardLinkBuilder {
  return link(title, `/d/${uidOf(name)}${query}`);
}

/** A link to a section of the runbook. */
export function runbookLink(section: string, title = section): DashboardLinkBuilder {
  return link(title, `${runbooks()}#${anchorOf(section)}`)
    .tooltip('docs/operations.md')
    .targetBlank(true);
}

function link(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url);
}

/** Where the runbook is: the address that the alerts have, from prometheus.yml. */
function runbooks(): string {
  const file = resolve(import.meta.dirname, '../../prometheus/prometheus.yml');
  const { global } = parse(readFileSync(file, 'utf8')) as {
    global: { external_labels: { runbooks: string } };
  };
  return global.external_labels.runbooks;
}
