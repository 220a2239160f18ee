/** Part of a manifest, before anything is known about it. */
export type Tree = Record<string, unknown>;

/**
 * Kustomize's strategic merge, as far as it goes by shape: maps are merged, null removes, a list whose items are named
 * is merged by name, and any other list is replaced.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
export function mergeInto(target: Tree, change: Tree): void {
  for (const [key, value] of Object.entries(change)) {
    const before = target[key];
    if (value === null) Reflect.deleteProperty(target, key);
    else if (isTree(value) && isTree(before)) mergeInto(before, value);
    else if (areNamed(value) && areNamed(before)) mergeNamed(before, value);
    else target[key] = value;
  }
}

function mergeNamed(items: Tree[], changes: Tree[]): void {
  for (const change of changes) {
    const item = items.find(({ name }) => name === change.name);
    if (item === undefined) items.push(change);
    else mergeInto(item, change);
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areNamed(value: unknown): value is Tree[] {
  return Array.isArray(value) && value.every((item) => isTree(item) && typeof item.name === 'string');
}
