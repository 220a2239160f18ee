import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startTestGateway } from '../support/gateway.ts';
import { adminDocument, type Document } from '../support/openapi.ts';

it('the gateway serves a valid OpenAPI 3.1 document, to anybody', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory' });
  t.after(() => gateway.close());
  const answer = await gateway.request('/admin/openapi.json');
  assert.equal(answer.status, 200);
  const document = answer.body as unknown as Document;
  assert.match(document.openapi, /^3\.1\./);
  assert.deepEqual(document, adminDocument, 'what answers are checked against is what is served');
  const result = await new Validator().validate(JSON.parse(answer.text) as Record<string, unknown>);
  assert.deepEqual(result, { valid: true });
  const post = await gateway.request('/admin/openapi.json', { method: 'POST' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET']);
});

it('every operation says who may, what it answers, and the errors that any can have', () => {
  const operations = Object.values(adminDocument.paths).flatMap((path) => Object.values(path));
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const operation of operations) {
    const { description } = operation as unknown as { description: string };
    assert.match(description, /Takes the role `(?:read|support|admin)`\./, operation.operationId);
    const statuses = Object.keys(operation.responses);
    for (const status of ['400', '401', '403', '500', '503']) assert.ok(statuses.includes(status));
    assert.ok(
      statuses.some((status) => status.startsWith('2')),
      operation.operationId,
    );
    const takesIfMatch = operation.parameters?.some(({ name }) => name === 'If-Match') === true;
    assert.equal(takesIfMatch, statuses.includes('412'), operation.operationId);
  }
  assert.deepEqual(Object.keys(adminDocument.components.securitySchemes), ['token']);
});

it('every list is a page with a cursor, of 1 to 200 rows', () => {
  interface Parameter {
    name: string;
    schema: Record<string, unknown>;
  }
  const lists = Object.values(adminDocument.paths).flatMap(({ get }) => {
    const schema = get?.responses[200]?.content?.['application/json'].schema as
      { properties?: Record<string, unknown> } | undefined;
    return schema?.properties?.data === undefined || get === undefined ? [] : [{ get, schema }];
  });
  assert.ok(lists.length >= 3);
  for (const { get, schema } of lists) {
    assert.ok(schema.properties?.next_cursor !== undefined, get.operationId);
    const parameters = (get.parameters ?? []) as unknown as Parameter[];
    const { minimum, maximum } = parameters.find(({ name }) => name === 'limit')?.schema ?? {};
    assert.deepEqual([minimum, maximum], [1, 200], get.operationId);
    assert.ok(
      parameters.some(({ name }) => name === 'cursor'),
      get.operationId,
    );
  }
});
