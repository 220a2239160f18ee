import { z } from 'zod';
import { reply, route, type AdminRoute } from './route.ts';

const showConnection = route({
  method: 'get',
  path: '/connection',
  name: 'showConnection',
  summary: 'How this very request reached the gateway: to check TRUST_PROXY by',
  tag: 'installation',
  role: 'read',
  answers: {
    200: {
      description: 'What the gateway sees of the caller',
      schema: z.object({
        address: z.string().nullable().meta({ description: "What it takes for the client's address" }),
        forwarded_for: z.array(z.string()).meta({ description: 'X-Forwarded-For, as it arrived' }),
        trusted_proxies: z.int().meta({ description: 'TRUST_PROXY' }),
      }),
    },
  },
  handle({ by, res }) {
    const { req } = res;
    const forwarded = req.get('x-forwarded-for') ?? '';
    const body = {
      address: by.address ?? null,
      forwarded_for: forwarded === '' ? [] : forwarded.split(',').map((entry) => entry.trim()),
      trusted_proxies: Number(req.app.get('trust proxy')),
    };
    return Promise.resolve(reply(200, body));
  },
});

export const connectionRoutes: AdminRoute[] = [showConnection];
