/** What of V8's .cpuprofile format is read here. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of the system's monotonic clock. */
  readonly startTime: number;
  /** The node that ran, at each sample. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** A name and the CPU time, in microseconds, that goes to it. */
export type Share = readonly [name: string, micros: number];

export interface Shares {
  /** Time that the profiled process was not idle. */
  readonly total: number;
  /** By what the running function belongs to: a folder of ours, a package, Node's own modules, V8. */
  readonly byOwner: readonly Share[];
  /** The same, but Node's and V8's functions are put on the package or folder that called them, where one did. */
  readonly byCaller: readonly Share[];
  /** By function, its own time without that of what it calls. */
  readonly byFunction: readonly Share[];
}

/** Adds up a profile's samples between two moments of the monotonic clock (microseconds). */
export function sharesOf(profile: CpuProfile, from = 0, to = Infinity): Shares {
  const frames = framesOf(profile);
  const [byOwner, byCaller, byFunction] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  let total = 0;
  let now = profile.startTime;
  for (const [index, id] of profile.samples.entries()) {
    const micros = profile.timeDeltas[index] ?? 0;
    now += micros;
    const frame = frames.get(id);
    if (frame === undefined || frame.name === '(idle)' || now < from || now > to) continue;
    total += micros;
    add(byOwner, frame.owner, micros);
    add(byCaller, frame.caller, micros);
    add(byFunction, `${frame.name}  ${frame.place}`, micros);
  }
  return { total, byOwner: sorted(byOwner), byCaller: sorted(byCaller), byFunction: sorted(byFunction) };
}

interface Frame {
  readonly name: string;
  readonly place: string;
  readonly owner: string;
  readonly caller: string;
}

function framesOf({ nodes }: CpuProfile): Map<number, Frame> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const frames = new Map<number, Frame>();
  const walk = (id: number, callerAbove: string | undefined): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const { functionName, url, lineNumber } = node.callFrame;
    const owner = ownerOf(functionName, url);
    const isNamed = !owner.startsWith('node') && !owner.startsWith('(');
    const caller = isNamed ? owner : (callerAbove ?? owner);
    const place = url === '' ? '' : `${placeOf(url)}:${lineNumber + 1}`;
    frames.set(id, { name: functionName || '(anonymous)', place, owner, caller });
    for (const child of node.children ?? []) walk(child, isNamed ? owner : callerAbove);
  };
  const root = nodes[0];
  if (root !== undefined) walk(root.id, undefined);
  return frames;
}

/** `src/http`, `express`, `node:http`, `(garbage collector)`, `node: built in`. */
function ownerOf(functionName: string, url: string): string {
  if (functionName.startsWith('(') && functionName !== '(anonymous)') return functionName;
  if (url === '') return 'node: built in';
  const builtIn = /^node:(?:internal\/)?(?:deps\/)?([\w]+)/.exec(url)?.[1];
  if (builtIn !== undefined) return `node:${builtIn.replace(/^_(\w+?)(?:_\w+)?$/, '$1')}`;
  const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency !== undefined) return dependency;
  return /\/(src\/[^/]+)(?:\/|$)/.exec(url)?.[1] ?? url;
}

function placeOf(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^.*\/src\//, 'src/');
}

function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

function sorted(sums: Map<string, number>): Share[] {
  return [...sums].toSorted(([, a], [, b]) => b - a);
}
