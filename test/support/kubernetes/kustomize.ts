import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { parseAllDocuments, type Document } from 'yaml';
import { z } from 'zod';
import type { Manifest } from './manifest.ts';
import { mergeInto, type Tree } from './strategic-merge.ts';

/**
 * What of Kustomize the project's kustomizations use. A field that is not here is refused, so that nothing is passed
 * over: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
 */
const kustomization = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  resources: z.array(z.string()).default([]),
  configMapGenerator: z
    .array(
      z.strictObject({
        name: z.string(),
        behavior: z.enum(['create', 'merge', 'replace']).default('create'),
        envs: z.array(z.string()).default([]),
        files: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  generatorOptions: z
    .strictObject({ labels: z.record(z.string(), z.string()), disableNameSuffixHash: z.boolean() })
    .optional(),
  components: z.array(z.string()).default([]),
  patches: z.array(z.strictObject({ path: z.string() })).default([]),
  namespace: z.string().optional(),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
  nameSuffix: z.string().optional(),
});
type Kustomization = z.output<typeof kustomization>;

/** What a build came to, and from which files. */
export interface Built {
  manifests: Manifest[];
  /** Absolute paths of everything that was read. */
  files: string[];
}

/**
 * Builds a kustomization as `kubectl kustomize` does, but for the hash in the names of generated ConfigMaps: there is
 * no Kustomize among the packages that the tests can install.
 * @param components folders that are applied on top
 * @throws on a field that is not understood, and on a patch or a generator that has no target
 */
export function build(folder: string, components: string[] = []): Built {
  const files: string[] = [];
  const trees = assemble(resolve(folder), [], files);
  for (const component of components) assemble(resolve(component), trees, files);
  return { manifests: trees as unknown as Manifest[], files };
}

/** Adds what a folder brings to the manifests so far, and applies what it changes to all of them. */
function assemble(folder: string, trees: Tree[], files: string[]): Tree[] {
  const [file] = readYaml(join(folder, 'kustomization.yaml'), files);
  const steps = kustomization.parse(file);
  for (const resource of steps.resources) {
    const isFolder = statSync(join(folder, resource)).isDirectory();
    trees.push(
      ...(isFolder ? assemble(join(folder, resource), [], files) : readYaml(fileIn(folder, resource), files)),
    );
  }
  for (const generator of steps.configMapGenerator)
    generate(folder, generator, { trees, files, labels: steps.generatorOptions?.labels });
  for (const component of steps.components) assemble(join(folder, component), trees, files);
  for (const { path } of steps.patches) patch(fileIn(folder, path), trees, files);
  transform(steps, trees);
  return trees;
}

/** Kustomize reads no file from outside of the folder that names it, though it goes into other folders. */
function fileIn(folder: string, path: string): string {
  const file = resolve(folder, path);
  if (!file.startsWith(folder + sep)) throw new Error(`${path} is not below ${folder}`);
  return file;
}

function generate(
  folder: string,
  { name, behavior, envs, files: contents }: Kustomization['configMapGenerator'][number],
  { trees, files, labels }: { trees: Tree[]; files: string[]; labels: Record<string, string> | undefined },
): void {
  const data = Object.fromEntries([
    ...envs.flatMap((path) => readEnv(fileIn(folder, path), files)),
    ...contents.map((path) => readContent(fileIn(folder, path), files)),
  ]);
  if (behavior === 'create') {
    trees.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...(labels && { labels }) }, data });
    return;
  }
  const before = only(trees, { kind: 'ConfigMap', metadata: { name } });
  if (behavior === 'replace') before.data = data;
  else mergeInto(before, { data });
}

function readContent(path: string, files: string[]): [name: string, content: string] {
  files.push(path);
  return [basename(path), readFileSync(path, 'utf8')];
}

/** Name and value of each line. Kustomize takes them as they stand: quotes would be part of a value. */
function readEnv(path: string, files: string[]): [string, string][] {
  files.push(path);
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`${path}: no NAME=value: ${line}`);
      return [name, value];
    });
}

function patch(path: string, trees: Tree[], files: string[]): void {
  for (const change of readYaml(path, files)) mergeInto(only(trees, change), change);
}

function transform({ namespace, images, nameSuffix }: Kustomization, trees: Tree[]): void {
  for (const tree of trees) {
    const metadata = tree.metadata as Tree;
    if (namespace !== undefined && tree.kind !== 'Namespace') metadata.namespace = namespace;
    if (nameSuffix !== undefined) {
      if (trees.length > 1) throw new Error('nameSuffix on several manifests, whose references would change');
      metadata.name = `${String(metadata.name)}${nameSuffix}`;
    }
  }
  for (const { name, newName, newTag } of images) {
    const changed = trees.flatMap(containersOf).filter(({ image }) => image === name);
    for (const container of changed) container.image = `${newName}:${newTag}`;
  }
}

function containersOf(tree: Tree): Tree[] {
  const { template } = (tree.spec ?? {}) as { template?: { spec?: { containers?: Tree[] } } };
  return template?.spec?.containers ?? [];
}

function only(trees: Tree[], target: Tree): Tree {
  const nameOf = (tree: Tree): unknown => (tree.metadata as Tree).name;
  const [found, another] = trees.filter(
    (tree) => tree.kind === target.kind && nameOf(tree) === nameOf(target),
  );
  if (found !== undefined && another === undefined) return found;
  throw new Error(
    `one ${String(target.kind)} ${String(nameOf(target))} is to be changed, but there is not one`,
  );
}

function readYaml(path: string, files: string[]): Tree[] {
  files.push(path);
  // Kubernetes reads YAML 1.1, in which an unquoted "off" is a boolean and 0440 is octal.
  const documents: Document[] = [...parseAllDocuments(readFileSync(path, 'utf8'), { version: '1.1' })];
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
    return document.toJS() as Tree;
  });
}
