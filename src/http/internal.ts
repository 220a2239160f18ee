import express, { type Express } from 'express';
import type { Registry } from 'prom-client';

export interface InternalParts {
  registry: Registry;
  /** Why the gateway should get no new requests; undefined where it should. */
  notReady: () => Promise<string | undefined>;
}

/** The internal listener: for Prometheus, the load balancer and the orchestrator, never for clients. */
export function createInternalApp({ registry, notReady }: InternalParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  app.get('/health/live', (_req, res) => void res.json({ status: 'ok' }));
  app.get('/health/ready', async (_req, res) => {
    const reason = await notReady();
    if (reason === undefined) res.json({ status: 'ok' });
    else res.status(503).json({ status: 'not ready', reason });
  });
  return app;
}
