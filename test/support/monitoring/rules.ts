import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';

const folder = resolve(import.meta.dirname, '../../../deploy/prometheus');

/** A rule of deploy/prometheus/rules. */
export interface Rule {
  /** `stores` */
  file: string;
  alert?: string;
  record?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** What a test of rules expects of an alert at a moment. */
export interface AlertCase {
  alertname: string;
  exp_alerts: { exp_annotations: Record<string, string> }[];
}

/** All rules, of all files. */
export function readRules(): Rule[] {
  return yamlFiles('rules').flatMap(({ file, content }) =>
    (content as { groups: { rules: Omit<Rule, 'file'>[] }[] }).groups.flatMap(({ rules }) =>
      rules.map((rule) => ({ file, ...rule })),
    ),
  );
}

/** All cases of the rules' own tests, which promtool runs. */
export function readAlertCases(): AlertCase[] {
  return yamlFiles('tests').flatMap(({ content }) =>
    (content as { tests: { alert_rule_test: AlertCase[] }[] }).tests.flatMap(
      ({ alert_rule_test: cases }) => cases,
    ),
  );
}

/** The paths of the tests' files, behind deploy/prometheus. */
export function ruleTestFiles(): string[] {
  return globSync('tests/*.yml', { cwd: folder }).sort();
}

function yamlFiles(kind: 'rules' | 'tests'): { file: string; content: unknown }[] {
  return globSync(`${kind}/*.yml`, { cwd: folder })
    .sort()
    .map((path) => ({
      file: basename(path, '.yml'),
      content: parse(readFileSync(join(folder, path), 'utf8')) as unknown,
    }));
}
