// Writes the rules as the Prometheus Operator takes them: npm run rules
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What is written. */
export const target = resolve(
  import.meta.dirname,
  '../kubernetes/components/prometheus-operator/prometheus-rule.yaml',
);

const HEAD = `# Made of deploy/prometheus/rules by "npm run rules": changes go there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: licensify
  labels:
    app.kubernetes.io/name: licensify
spec:
  groups:
`;

/** All groups of all files in one PrometheusRule, with their comments: Kustomize cannot put them there by itself. */
export function buildPrometheusRule(): string {
  const folder = join(import.meta.dirname, 'rules');
  const groups = globSync('*.yml', { cwd: folder })
    .sort()
    .map((name) => groupsOf(readFileSync(join(folder, name), 'utf8'), name));
  return HEAD + groups.join('');
}

/** @throws where a file holds something besides its groups */
function groupsOf(file: string, name: string): string {
  const [about = '', groups, ...more] = file.split(/^groups:\n/m);
  const isAlone = about.split('\n').every((line) => line === '' || line.startsWith('#'));
  if (groups === undefined || more.length > 0 || !isAlone)
    throw new Error(`${name}: what is beside its groups?`);
  const comments = about.replaceAll(/^(?=#)/gm, '    ');
  return comments + groups.replaceAll(/^(?=.)/gm, '  ');
}

if (import.meta.main) writeFileSync(target, buildPrometheusRule());
