import express, { type Express } from 'express';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

export interface InternalParts {
  registry: Registry;
  readiness: Readiness;
}

/** The internal listener: for Prometheus, the load balancer and the orchestrator, never for clients. */
export function createInternalApp({ registry, readiness }: InternalParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  app.get('/health/live', (_req, res) => void res.json({ status: 'ok' }));
  app.get('/health/ready', async (_req, res) => {
    const problems = await readiness.problems();
    // Asked last: the gateway may have been told to stop in the meantime.
    if (readiness.stage !== 'serving') res.status(503).json({ status: 'not ready', reason: readiness.stage });
    else if (problems.length > 0) res.json({ status: 'degraded', problems });
    else res.json({ status: 'ok' });
  });
  return app;
}
