import type { ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { z } from 'zod';
import { cutOff } from '../upstream/relay.ts';
import { errorTable, refuse, RefusalError, sendRefusal, type Refusal } from './errors.ts';
import { REQUEST_ID, requestState } from './request-state.ts';

/** The largest JSON body outside `/proxy`. Bytes. */
export const MAX_JSON_BYTES = 65_536;

/** Compressed bodies are refused: nothing here is large enough to need them, and what they grow into is a surprise. */
const parse: RequestHandler = express.json({ limit: MAX_JSON_BYTES, strict: true, inflate: false });

/** Reads a JSON body into `req.body`, whose type has to be JSON's. */
export const jsonBody: RequestHandler = (req, res, next) => {
  // null: there is no body, and validation says what it should have held.
  const isOther = req.is('application/json') === false;
  if (isOther) next(new RefusalError('unsupported_media_type'));
  else void parse(req, res, next);
};

/** What a client sent, checked. @throws RefusalError that names every field that is wrong */
export function validated<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
  throw new RefusalError('invalid_request', { problem });
}

/** Ends a request with a refusal, and its log line with the refusal's code. */
export function answerRefusal(res: ServerResponse, refusal: Refusal): void {
  const state = requestState(res);
  state.end(refusal.code);
  if (!res.headersSent) res.setHeader(REQUEST_ID, state.id);
  sendRefusal(res, refusal, state.shape);
}

/** Answers what is addressed right but with the wrong method. */
export function onlyMethod(...allow: string[]): RequestHandler {
  return (req, res) =>
    answerRefusal(res, refuse('method_not_allowed', { method: req.method, allow: allow.join(', ') }));
}

export const notFound: RequestHandler = (_req, res) =>
  answerRefusal(res, refuse('not_found', { what: 'This page' }));

/**
 * Turns what was thrown into an answer: refusals and body-parser's errors into theirs, the stores' absence into 503,
 * and everything else into a fixed text with the request's id, its cause going to the log alone.
 */
export function errorHandler(isDatabaseAway: (error: unknown) => boolean): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) next(error);
    else answerError(error, res, isDatabaseAway);
  };
}

/** The same outside of Express; an answer that has begun is broken off. */
export function answerError(
  error: unknown,
  res: ServerResponse,
  isDatabaseAway: (error: unknown) => boolean,
): void {
  const state = requestState(res);
  const refusal = refusalFor(error, isDatabaseAway, state.id);
  if (errorTable[refusal.code].status >= 500) state.error = error;
  if (res.headersSent) cutOff(res);
  answerRefusal(res, refusal);
}

function refusalFor(error: unknown, isDatabaseAway: (error: unknown) => boolean, requestId: string): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  if (isDatabaseAway(error)) return refuse('database_unavailable');
  return clientsMistake(error) ?? refuse('internal_error', { requestId });
}

/** http-errors, as Express and body-parser raise them: https://github.com/expressjs/body-parser#errors */
function clientsMistake(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !('status' in error)) return undefined;
  if (typeof error.status !== 'number' || error.status < 400 || error.status > 499) return undefined;
  if (error instanceof URIError) {
    return refuse('invalid_request', { problem: 'The path is not valid percent-encoding' });
  }
  switch ('type' in error && error.type) {
    case 'entity.too.large':
      return refuse('body_too_large', { max: MAX_JSON_BYTES });
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return refuse('unsupported_media_type');
    default:
      return refuse('invalid_request', { problem: 'The request body is not a valid JSON object' });
  }
}
