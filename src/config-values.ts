import { z } from 'zod';
import { apiKeyPattern, parseMasterKeys } from './config-secrets.ts';

// What settings may hold. Each is described by what it takes, for the message of a start that one of them stopped.

export const wholeNumber = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(fallback)
    .describe(`a whole number from ${min} to ${max}`);

export const yesOrNo = (fallback: boolean) =>
  z
    .enum(['true', 'false', '1', '0'])
    .transform((text) => text === 'true' || text === '1')
    .default(fallback)
    .describe('true or false');

export const text = (takes: string) => z.string().optional().describe(takes);

const url = (...protocols: string[]) =>
  z
    .string()
    .refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), { abort: true });

/** Described last, since zod's wrappers do not take over what they wrap is described as. */
export const storeUrl = (protocols: string[], example: string) =>
  url(...protocols)
    .optional()
    .describe(`a URL such as ${example}`);

/** One Redis, or some nodes of a cluster, which are asked for the others. */
export const redisUrls = z
  .string()
  .refine((list) => list.split(',').every((item) => url('redis:', 'rediss:').safeParse(item.trim()).success))
  .optional()
  .describe('a URL such as redis://host:6379, or those of some nodes of a cluster, separated by commas');

export const baseUrl = (fallback: string) =>
  url('https:', 'http:')
    .refine((value) => !/[?#@]/.test(value))
    .default(fallback)
    // The SDKs' own base URLs end in /v1, which our paths begin with: both ways of writing it mean the same.
    .transform((value) => new URL(value.replace(/\/(?:v1\/?)?$/, '')))
    .describe(`a URL such as ${fallback}`);

export const publicUrl = url('https:', 'http:')
  .refine((value) => !/[?#@]/.test(value) && new URL(value).pathname === '/')
  .transform((value) => new URL(value))
  .optional()
  .describe('where clients reach the gateway: a URL without a path, such as https://licenses.example.com');

/** Goes into an Authorization or x-api-key header, so it holds what a header value may hold. */
export const apiKey = (takes: string) => z.string().regex(apiKeyPattern).optional().describe(takes);

export const masterKeys = z
  .string()
  .transform((list, context) => {
    const keys = parseMasterKeys(list);
    if (keys === undefined) context.addIssue({ code: 'custom' });
    return keys ?? [];
  })
  .default([])
  .describe(
    '32 random bytes in base64 or hex (openssl rand -base64 32 makes them), or several, the one in force first, separated by commas',
  );

/** An origin as browsers send it: scheme and host, no path; extensions have schemes of their own. */
export const origins = z
  .string()
  .transform((list) => list.split(',').map((origin) => origin.trim()))
  .refine((list) => list.every((origin) => /^[a-z][a-z0-9+.-]*:\/\/[^/\s*]+$/i.test(origin)))
  .default([])
  .describe('exact origins separated by commas, such as https://app.example.com,chrome-extension://abcdef');

/** Hosts as a URL shows them: a name, an IPv4 address, or an IPv6 address in brackets. */
export const hosts = z
  .string()
  .transform((list) => list.split(',').map((host) => host.trim().toLowerCase()))
  .refine((list) => list.every((host) => URL.parse(`http://${host}/`)?.host === host))
  .default([])
  .describe('host names or addresses without a port, separated by commas, such as hooks.internal,10.0.0.7');
