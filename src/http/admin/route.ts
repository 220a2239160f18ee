import type { Response } from 'express';
import type { z } from 'zod';
import type { Actor, Role } from '../../licensing/changes-recorder.ts';
import type { ErrorCode } from '../errors.ts';
import type { AdminParts } from './parts.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Of what a route does not take. */
type Nothing = z.ZodUndefined;

/** One answer of a route that is no error. */
export interface AnswerDeclaration {
  description: string;
  /** Of the JSON body; undefined: there is none. As it goes out, so without transformations. */
  schema?: z.ZodType;
  /** The answer has an ETag: the version of what the path names. */
  etag?: true;
}

type Answers = Readonly<Record<number, AnswerDeclaration>>;

/** What a handler answers with: one of the declared answers, whose body fits its schema. */
export type Reply<A extends Answers> = {
  [Status in keyof A & number]: {
    status: Status;
    /** Goes out in quotes, as a strong ETag (RFC 9110 §8.8.3). */
    etag?: string;
  } & (A[Status] extends { schema: infer S extends z.ZodType } ? { body: z.input<S> } : { body?: undefined });
}[keyof A & number];

/** A request that was checked against its route's declaration. */
export interface Call<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
  /** Who asks, to be handed on to whatever is changed. */
  by: Actor;
  /** The versions that If-Match names; undefined where the client minds none. */
  ifMatch: readonly string[] | undefined;
  /** Only to be read, and for `requestState(res)`: the answer is what the handler returns. */
  res: Response;
}

/** Everything about one call of the admin API: the router and the OpenAPI document are both made of it. */
export interface Declaration<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends Answers,
> {
  method: Method;
  /** Behind `/admin/v1`, with parameters as Express writes them: `/licenses/:id`. */
  path: string;
  /** What it is called in clients that are generated from the document: `updateLicense`. */
  name: string;
  /** One line, for the document. */
  summary: string;
  description?: string;
  /** The group in the document: `licenses`. */
  tag: string;
  /** The least role that may. */
  role: Role;
  params?: P;
  query?: Q;
  /** Of the JSON body; where `{}` fits, a request without one does too. */
  body?: B;
  /** Takes If-Match, and answers 412 by throwing `precondition_failed`. */
  ifMatch?: true;
  answers: A;
  /** Errors of its own, besides those that every route has (`commonErrors` in openapi.ts). */
  errors?: readonly ErrorCode[];
  handle(call: Call<P, Q, B>, parts: AdminParts): Promise<Reply<A>>;
}

/** A declared route, whatever its types. */
export type AdminRoute = Omit<Declaration<z.ZodType, z.ZodType, z.ZodType, Answers>, 'handle'> & {
  handle(
    call: Call<z.ZodType, z.ZodType, z.ZodType>,
    parts: AdminParts,
  ): Promise<{ status: number; etag?: string; body?: unknown }>;
};

/** Declares a route; its types are checked here, and forgotten. */
export function route<
  const A extends Answers,
  P extends z.ZodType = Nothing,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
>(declaration: Declaration<P, Q, B, A>): AdminRoute {
  return declaration;
}

/** An answer without a body. */
export function reply<const S extends number>(status: S): { status: S };
/** An answer with a JSON body, and its ETag where one is declared. */
export function reply<const S extends number, B>(
  status: S,
  body: B,
  etag?: string,
): { status: S; body: B; etag?: string };
export function reply(status: number, body?: unknown, etag?: string): object {
  return { status, ...(body !== undefined && { body }), ...(etag !== undefined && { etag }) };
}
