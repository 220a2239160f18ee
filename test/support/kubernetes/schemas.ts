import { join } from 'node:path';
import ts from 'typescript';
import { nameOf, type Manifest } from './manifest.ts';

/** Where the schemas of an API group are that Kubernetes itself does not have. */
const packages: Record<string, string> = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/gateway.networking.k8s.io',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/monitoring.coreos.com',
};

/** The module of a manifest's kind: `kubernetes-models/apps/v1/Deployment`. */
function moduleOf({ apiVersion, kind }: Manifest): string {
  const [group = '', version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const folder = packages[group] ?? ['kubernetes-models', group].filter((part) => part !== '').join('/');
  return [folder, version, kind].join('/');
}

/**
 * What is wrong with manifests by the schemas of their kinds. Two checks, since neither sees everything: the schemas
 * know formats and ranges but let unknown fields pass, as OpenAPI does; the types made from them refuse unknown fields.
 */
export async function problemsOf(manifests: Manifest[]): Promise<string[]> {
  const refused = await Promise.all(manifests.map(refusedBySchema));
  return [...refused.flat(), ...refusedByTypes(manifests)];
}

async function refusedBySchema(manifest: Manifest): Promise<string[]> {
  try {
    const models = (await import(moduleOf(manifest))) as Record<string, Model | undefined>;
    const model = models[manifest.kind];
    if (model === undefined) return [`${nameOf(manifest)}: there is no such kind`];
    new model(manifest).validate();
    return [];
  } catch (error) {
    return [`${nameOf(manifest)}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

type Model = new (manifest: unknown) => { validate(): void };

/** Has TypeScript check the manifests as literals of their kinds' types, each in a file that exists in memory alone. */
function refusedByTypes(manifests: Manifest[]): string[] {
  const sources = new Map(
    manifests.map((manifest, index) => [
      join(import.meta.dirname, `in-memory-${index}.ts`),
      asSource(manifest),
    ]),
  );
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    const source = sources.get(path);
    return source === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, source, ts.ScriptTarget.ES2024);
  };
  const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram([...sources.keys()], options, host));
  const names = new Map([...sources.keys()].map((path, index) => [path, manifests[index]]));
  return diagnostics.map((diagnostic) => explain(diagnostic, names.get(diagnostic.file?.fileName ?? '')));
}

function asSource(manifest: Manifest): string {
  const type = `import('${moduleOf(manifest)}').I${manifest.kind}`;
  return `export const manifest: ${type} = ${JSON.stringify(manifest, null, 2)};\n`;
}

function explain({ messageText, file, start }: ts.Diagnostic, manifest: Manifest | undefined): string {
  const message = ts.flattenDiagnosticMessageText(messageText, ' ');
  if (file === undefined || start === undefined || manifest === undefined) return message;
  const { line } = file.getLineAndCharacterOfPosition(start);
  return `${nameOf(manifest)}, at ${file.text.split('\n')[line]?.trim() ?? ''}: ${message}`;
}
