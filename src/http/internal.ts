import express, { type Express } from 'express';
import type { Readiness } from './readiness.ts';

export interface InternalParts {
  /** Writes the metrics as the scraper's Accept header asks for them. */
  metrics: { write(accept?: string): Promise<{ contentType: string; text: string }> };
  readiness: Readiness;
}

/** The internal listener: for Prometheus, the load balancer and the orchestrator, never for clients. */
export function createInternalApp({ metrics, readiness }: InternalParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/metrics', async (req, res) => {
    const { contentType, text } = await metrics.write(req.headers.accept);
    res.type(contentType).send(text);
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
