import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { adminBody, change } from '../support/admin-calls.ts';
import { auditOf } from '../support/audit.ts';
import { startTestGateway, type JsonAnswer, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
before(async () => {
  gateway = await startTestGateway();
});
after(() => gateway.close());

const etagOf = ({ headers }: JsonAnswer): string => headers.get('etag') ?? '';
const show = (id: string): Promise<JsonAnswer> => gateway.admin(`/licenses/${id}`);

function patch(id: string, body: object, ifMatch?: string): Promise<JsonAnswer> {
  const headers: Record<string, string> = ifMatch === undefined ? {} : { 'if-match': ifMatch };
  return gateway.admin(`/licenses/${id}`, { method: 'PATCH', body, headers });
}

it('of 20 simultaneous changes with the same ETag exactly one is made', async () => {
  const { id } = await gateway.createLicense();
  const etag = etagOf(await show(id));
  assert.match(etag, /^"[^"]+"$/, 'a strong one');
  const names = Array.from({ length: 20 }, (_, index) => `Name ${index}`);
  const answers = await Promise.all(names.map((name) => patch(id, { name }, etag)));
  const won = answers.flatMap((answer, index) => (answer.status === 200 ? [index] : []));
  assert.equal(won.length, 1);
  assert.ok(answers.every(({ status }) => status === 200 || status === 412));
  const winner = answers[won[0] ?? -1];
  assert.ok(winner);
  const now = await show(id);
  assert.equal(adminBody(now).license.name, names[won[0] ?? -1]);
  assert.equal(etagOf(now), etagOf(winner), 'the answer had the new ETag');
  assert.equal((await auditOf(gateway, `?license=${id}&action=license.updated`)).length, 1);
  const lost = answers.find(({ status }) => status === 412);
  assert.deepEqual(lost?.body, {
    error: `License ${id} has changed since you read it (its ETag is ${etagOf(now)} now): read it again, then repeat`,
    code: 'precondition_failed',
  });
});

it('an ETag is for every change of a status too, and for a new key', async () => {
  const { id } = await gateway.createLicense();
  for (const verb of ['suspend', 'reinstate', 'reissue', 'revoke']) {
    const path = `/licenses/${id}/${verb}`;
    const [stale, fresh] = ['"v0"', etagOf(await show(id))];
    const refused = await gateway.admin(path, { method: 'POST', headers: { 'if-match': stale } });
    assert.equal(refused.status, 412, verb);
    assert.equal(etagOf(await show(id)), fresh);
    if (verb === 'reissue') continue; // its key is for another test
    const done = await gateway.admin(path, { method: 'POST', headers: { 'if-match': fresh } });
    assert.equal(done.status, 200, verb);
    assert.notEqual(etagOf(done), fresh);
  }
});

it('without If-Match, and with *, a change is made whatever the version is', async () => {
  const { id } = await gateway.createLicense();
  assert.equal((await patch(id, { name: 'One' })).status, 200);
  assert.equal((await patch(id, { name: 'Two' }, '*')).status, 200);
  const etag = etagOf(await show(id));
  assert.equal((await patch(id, { name: 'Three' }, `"v0", ${etag}`)).status, 200, 'one of several is enough');
  assert.equal(
    (await patch(id, { name: 'Four' }, `W/${etagOf(await show(id))}`)).status,
    412,
    'weak ones are none',
  );
  const wrong = await patch(id, { name: 'Five' }, 'v1');
  assert.deepEqual([wrong.status, adminBody(wrong).code], [400, 'invalid_request']);
  assert.equal((await patch('lic_nobody', { name: 'x' }, '"v1"')).status, 404);
});

it('the ETag goes with the license: what changes nothing, devices and usage leave it', async () => {
  const { licenseId, licenseKey } = await gateway.device();
  const etag = etagOf(await show(licenseId));
  await gateway.activate(licenseKey, 'hw-2');
  assert.equal(await change(gateway, licenseId, { tier: 'pro' }), 200);
  assert.equal(etagOf(await show(licenseId)), etag);
  // Whoever changes it, by SQL too.
  await gateway.gateway.knex('licenses').where({ id: licenseId }).update({ name: 'By hand' });
  assert.notEqual(etagOf(await show(licenseId)), etag);
});
