import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Built } from './kustomize.ts';
import type { Manifest } from './manifest.ts';

/** Where the manifests are. */
export const root = resolve(import.meta.dirname, '../../../deploy/kubernetes');

const components = readdirSync(join(root, 'components'));

/** Everything that can be applied: the base with each component, the migration, and the example with its parts. */
export const builds: Record<string, Built> = {
  base: build(join(root, 'base')),
  ...Object.fromEntries(
    components.map((name) => [
      `base with ${name}`,
      build(join(root, 'base'), [join(root, 'components', name)]),
    ]),
  ),
  migrate: build(join(root, 'migrate')),
  example: build(join(root, 'overlays/example')),
  'example/migrate': build(join(root, 'overlays/example/migrate')),
};

/** The manifests of one build. */
export function manifestsOf(name: string): Manifest[] {
  const built = builds[name];
  assert.ok(built, `there is no build ${name}`);
  return built.manifests;
}

/** The one manifest of a kind, and of a name where there are several. Fails where there is none. */
export function only<Kind extends Manifest['kind']>(
  manifests: Manifest[],
  kind: Kind,
  name?: string,
): Extract<Manifest, { kind: Kind }> {
  const found = manifests.filter(
    (manifest): manifest is Extract<Manifest, { kind: Kind }> =>
      manifest.kind === kind && (name === undefined || manifest.metadata?.name === name),
  );
  const [manifest] = found;
  assert.ok(manifest && found.length === 1, `one ${kind} ${name ?? ''} is wanted, there are ${found.length}`);
  return manifest;
}
