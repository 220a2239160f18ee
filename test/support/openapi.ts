import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describeRoutes } from '../../src/http/admin/openapi.ts';
import { adminRoutes } from '../../src/http/admin/routes.ts';

export interface Described {
  parameters?: { in: string; name: string; required?: boolean }[];
  requestBody?: { required: boolean };
  responses: Record<string, DescribedAnswer | undefined>;
  operationId: string;
}

interface DescribedAnswer {
  headers?: Record<string, { required?: boolean } | undefined>;
  content?: { 'application/json': { schema: object } };
}

export interface Document {
  openapi: string;
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

/** What a gateway answered, as far as the document speaks of it. */
export interface Answered {
  status: number;
  headers: Headers;
  text: string;
}

/** The document as a gateway of this version serves it. */
export const adminDocument = JSON.parse(JSON.stringify(describeRoutes(adminRoutes))) as Document;

const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (to: Ajv2020) => void)(ajv);
ajv.addSchema({ $id: 'document', components: adminDocument.components });
const validators = new Map<object, ValidateFunction>();

/** The operation that a request is one of; undefined where the document knows none. */
export function operationOf(method: string, path: string): Described | undefined {
  const [target = ''] = path.split('?');
  const template = Object.keys(adminDocument.paths)
    .filter((known) => new RegExp(`^${known.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(target))
    // A path without parameters goes before one with.
    .sort((one, other) => one.split('{').length - other.split('{').length)[0];
  return template === undefined ? undefined : adminDocument.paths[template]?.[method.toLowerCase()];
}

/** Asserts that the document holds the answer to such a request: its status, its headers and its body. */
export function assertDescribed(method: string, path: string, { status, headers, text }: Answered): void {
  if (path === '/admin/openapi.json' && status === 200) return;
  const operation = operationOf(method, path);
  const error = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
  const answer: DescribedAnswer | undefined =
    operation === undefined ? (status >= 400 ? error : undefined) : operation.responses[status];
  const what = `${method} ${path.split('?')[0] ?? ''} answered ${status}`;
  assert.ok(answer, `${what}, of which the document knows nothing: ${text}`);
  for (const [name, header] of Object.entries(answer.headers ?? {})) {
    if (header?.required === true) assert.ok(headers.has(name), `${what} without the header ${name}`);
  }
  const schema = answer.content?.['application/json'].schema;
  if (schema === undefined) {
    assert.equal(text, '', `${what} with a body that the document does not know`);
    return;
  }
  const validate = validatorOf(schema);
  assert.ok(validate(JSON.parse(text)), `${what}: ${ajv.errorsText(validate.errors)}`);
}

function validatorOf(schema: object): ValidateFunction {
  const known = validators.get(schema);
  if (known !== undefined) return known;
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
  const validate = ajv.compile(JSON.parse(text) as object);
  validators.set(schema, validate);
  return validate;
}
