import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BrowserContext, Page } from 'playwright-core';
import { buildClient } from '../built-client.ts';

/** A page of an origin of its own, with the kit in it. */
export interface ServedPages extends AsyncDisposable {
  readonly origin: string;
}

let bundle: Promise<string> | undefined;

/** The kit with the SDKs and our client as it is published, bundled as an application's build bundles them. */
async function kitBundle(): Promise<string> {
  using client = await buildClient();
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page-kit.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'chrome120',
    logLevel: 'silent',
    plugins: [
      {
        name: 'the published client',
        setup: (bundling) =>
          bundling.onResolve({ filter: /clients\/typescript\/src\/index\.ts$/ }, () => ({
            path: client.index,
          })),
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}

/** Serves it on a free port. */
export async function servePages(): Promise<ServedPages> {
  const script = await (bundle ??= kitBundle());
  const server = createServer((req, res) => {
    if (req.url === '/kit.js') res.setHeader('content-type', 'text/javascript').end(script);
    else
      res
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><script type="module" src="/kit.js"></script>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Calls a function of the kit that a page, or a service worker, has loaded. */
export async function inKit<Result>(
  place: Pick<Page, 'evaluate'>,
  name: string,
  ...parameters: unknown[]
): Promise<Result> {
  const result = await place.evaluate(
    ([name, parameters]) => {
      const { kit } = globalThis as unknown as { kit: Record<string, (...args: unknown[]) => unknown> };
      return kit[name]?.(...parameters);
    },
    [name, parameters] as const,
  );
  return result as Result;
}

/** Opens a page of an origin, its kit loaded. */
export async function visit(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => 'kit' in globalThis);
  return page;
}
