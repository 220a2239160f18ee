import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { it } from 'node:test';
import { readAlertCases, readRules } from '../support/monitoring/rules.ts';

const runbook = readFileSync(resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8');
const alerts = readRules().filter(({ alert }) => alert !== undefined);

/** As GitHub and most renderers of Markdown make them. */
const anchors = new Set(
  [...runbook.matchAll(/^#{2,3} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  ),
);

it('every alert has a severity that routes it, a summary, and a section of the runbook', () => {
  assert.ok(alerts.length > 20);
  for (const { alert = '', labels, annotations } of alerts) {
    assert.match(labels?.severity ?? '', /^(?:critical|warning)$/, alert);
    assert.ok((annotations?.summary ?? '').length > 10, alert);
    const [place, anchor = ''] = (annotations?.runbook_url ?? '').split('#');
    assert.equal(place, '{{ $externalLabels.runbooks }}', alert);
    assert.ok(anchors.has(anchor), `${alert}: docs/operations.md has no section #${anchor}`);
  }
});

it('every alert has cases in which it fires, and in which it does not', () => {
  const cases = readAlertCases();
  for (const { alert } of alerts) {
    const ofAlert = cases.filter(({ alertname }) => alertname === alert);
    assert.ok(
      ofAlert.some(({ exp_alerts: expected }) => expected.length > 0),
      `${alert} is never seen to fire`,
    );
    assert.ok(
      ofAlert.some(({ exp_alerts: expected }) => expected.length === 0),
      `${alert} is never seen silent`,
    );
  }
  const names = new Set(alerts.map(({ alert }) => alert));
  assert.deepEqual(
    cases.filter(({ alertname }) => !names.has(alertname)).map(({ alertname }) => alertname),
    [],
  );
});
