import { z } from 'zod';
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject } from 'zod-openapi';
import { version } from '../../version.ts';
import { errorTable, statusOf, type ErrorCode } from '../errors.ts';
import type { AdminRoute, AnswerDeclaration } from './route.ts';

type Document = ReturnType<typeof createDocument>;

/** Errors that any route can answer with. */
const commonErrors: ErrorCode[] = [
  'invalid_request',
  'invalid_admin_token',
  'forbidden',
  'internal_error',
  'database_unavailable',
  'admin_not_configured',
];
const bodyErrors: ErrorCode[] = ['body_too_large', 'unsupported_media_type'];

const requestId = z.string().meta({ description: "The request's id, which is in the log too" });

/** The document that describes the routes, made of the schemas that check requests: OpenAPI 3.1. */
export function describeRoutes(routes: readonly AdminRoute[]): Document {
  const paths: NonNullable<ZodOpenApiObject['paths']> = {};
  for (const route of routes) {
    const path = `/admin/v1${route.path.replaceAll(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Licensify administration',
      version,
      description:
        'Lists are pages: `next_cursor` of one is the `cursor` of the next. Errors have a sentence and a code. Another method than those of a path is answered with 405 and `Allow`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: errorSchema(Object.keys(errorTable) as ErrorCode[]) },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'ADMIN_TOKEN, or a token made with POST /admin/v1/tokens (lat_…)',
        },
      },
    },
  });
}

function operation(route: AdminRoute): ZodOpenApiOperationObject {
  const { params, query, body, description, role } = route;
  const details = [description, `Takes the role \`${role}\`.`];
  return {
    operationId: route.name,
    summary: route.summary,
    description: details.filter((text) => text !== undefined).join('\n\n'),
    tags: [route.tag],
    requestParams: {
      ...(params instanceof z.ZodObject && { path: params }),
      ...(query instanceof z.ZodObject && { query }),
      ...(route.ifMatch && { header: ifMatchHeader }),
    },
    ...(body !== undefined && {
      requestBody: {
        required: !body.safeParse({}).success,
        content: { 'application/json': { schema: body } },
      },
    }),
    responses: { ...answersOf(route), ...errorsOf(route) },
  };
}

const ifMatchHeader = z.object({
  'If-Match': z.string().optional().meta({
    description: 'ETags of the versions that may be changed; another is answered with 412',
    example: '"v3"',
  }),
});

function answersOf({ answers }: AdminRoute): ZodOpenApiOperationObject['responses'] {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [status, answerObject(answer)]),
  );
}

function answerObject({ description, schema, etag }: AnswerDeclaration) {
  const tag = z.string().meta({ description: 'The version, for If-Match', example: '"v3"' });
  return {
    description,
    headers: z.object({ 'X-Licensify-Request-Id': requestId, ...(etag && { ETag: tag }) }),
    ...(schema !== undefined && { content: { 'application/json': { schema } } }),
  };
}

/** The errors of a route by their status, which several can share. */
function errorsOf({ body, ifMatch, errors = [] }: AdminRoute): ZodOpenApiOperationObject['responses'] {
  const codes = new Set<ErrorCode>([
    ...commonErrors,
    ...(body === undefined ? [] : bodyErrors),
    ...(ifMatch ? (['precondition_failed'] as const) : []),
    ...errors,
  ]);
  const byStatus = Object.groupBy(codes, statusOf);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, ofStatus = []]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\`: ${errorTable[code].message}`).join('\n\n'),
        headers: z.object({ 'X-Licensify-Request-Id': requestId, ...headersOf(ofStatus) }),
        content: { 'application/json': { schema: errorSchema(ofStatus) } },
      },
    ]),
  );
}

function headersOf(codes: readonly ErrorCode[]): Record<string, z.ZodType> {
  if (codes.includes('invalid_admin_token')) return { 'WWW-Authenticate': z.literal('Bearer') };
  const mayRetry = codes.some((code) => 'retryAfter' in errorTable[code]);
  const seconds = z.string().optional().meta({ description: 'Seconds, where trying again may help' });
  return mayRetry ? { 'Retry-After': seconds } : {};
}

function errorSchema(codes: readonly ErrorCode[]): z.ZodType {
  return z.object({ error: z.string(), code: z.enum(codes) });
}
