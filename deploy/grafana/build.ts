// Writes the dashboards that Grafana reads: npm run dashboards
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { dashboards } from './source/dashboards.ts';
import { uidOf } from './source/places.ts';
import { renderDashboard } from './source/render.ts';

/** The files' names and what belongs into them. */
export async function buildDashboards(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const spec of dashboards)
    files.set(
      `${uidOf(spec.name)}.json`,
      await format(JSON.stringify(renderDashboard(spec), inSight), { parser: 'json', printWidth: 110 }),
    );
  return files;
}

/** Links where one sees them: the SDK puts all of them into a menu, with no way to say otherwise. */
function inSight(key: string, value: unknown): unknown {
  return key === 'placement' && value === 'inControlsMenu' ? undefined : value;
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, 'dashboards');
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of await buildDashboards()) writeFileSync(join(folder, name), content);
}
