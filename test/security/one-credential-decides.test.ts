import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestDevice } from '../support/gateway.ts';
import { rawPost } from '../support/raw-http.ts';
import {
  assertClearError,
  assertHoldsNoProxyKey,
  CHAT,
  JSON_TYPE,
  MESSAGE,
  RawStage,
} from '../support/raw-stage.ts';
import { ANTHROPIC_KEY, OPENAI_KEY } from '../support/simulator/simulator.ts';

const OPENAI = '/proxy/openai/v1/chat/completions';
const ANTHROPIC = '/proxy/anthropic/v1/messages';

describe('of several credentials exactly one decides, and none but the real key goes to the provider', () => {
  let stage: RawStage;
  let other: TestDevice;
  let own: string;
  before(async () => {
    stage = await RawStage.start();
    other = await stage.gateway.device({}, 'hw-other');
    own = stage.device.proxyKey;
  });
  after(() => stage.close());

  async function assertServed(target: string, headers: readonly string[]): Promise<void> {
    const body = target === OPENAI ? CHAT : MESSAGE;
    const used = await stage.usedToday();
    const answer = await stage.ask(rawPost(target, [...headers, JSON_TYPE], body));
    assert.equal(answer.status, 200, headers.join(' | ').replaceAll(/px_\w+/g, 'px_'));
    const [request, ...others] = await stage.newUpstream();
    assert.ok(request !== undefined && others.length === 0);
    assertHoldsNoProxyKey(request);
    const credentials = request.rawHeaders.filter((_, index) =>
      /^(?:authorization|x-api-key|api-key|x-goog-api-key|cookie|proxy-authorization)$/i.test(
        request.rawHeaders[index - 1] ?? '',
      ),
    );
    assert.deepEqual(credentials, [target === OPENAI ? `Bearer ${OPENAI_KEY}` : ANTHROPIC_KEY]);
    assert.equal(await stage.usedToday(), used + 1, "it is the own license's request");
  }

  async function assertRefused(status: number, headers: readonly string[]): Promise<void> {
    for (const target of [OPENAI, ANTHROPIC]) {
      const answer = await stage.ask(rawPost(target, [...headers, JSON_TYPE], CHAT));
      assertClearError(answer, headers.join(' | ').replaceAll(/px_\w+/g, 'px_'), status);
    }
    await stage.assertNothingUpstream('refused');
  }

  it('the same key in both headers', async () => {
    for (const target of [OPENAI, ANTHROPIC]) {
      await assertServed(target, [`Authorization: Bearer ${own}`, `X-Api-Key: ${own}`]);
    }
  });

  it("either provider's header serves for either provider", async () => {
    await assertServed(OPENAI, [`X-API-KEY: ${own}`]);
    await assertServed(ANTHROPIC, [`authorization: bearer   ${own}`]);
  });

  it('a proxy key beside a key that is none', async () => {
    for (const foreign of ['sk-ant-foreign', 'sk-proj-foreign', '', 'null']) {
      await assertServed(OPENAI, [`Authorization: Bearer ${own}`, `X-Api-Key: ${foreign}`]);
      await assertServed(ANTHROPIC, [`X-Api-Key: ${own}`, `Authorization: Bearer ${foreign}`]);
    }
    const basic = `Authorization: Basic ${Buffer.from(`user:${own}`).toString('base64')}`;
    await assertServed(OPENAI, [`X-Api-Key: ${own}`, basic]);
  });

  it('credentials of every other kind', async () => {
    const more = ['Api-Key: a', 'X-Goog-Api-Key: b', 'Cookie: session=c', 'Proxy-Authorization: Basic d'];
    await assertServed(OPENAI, [stage.bearer, ...more]);
    await assertServed(ANTHROPIC, [`X-Api-Key: ${own}`, ...more]);
  });

  it('two different proxy keys are refused, and neither license is charged', async () => {
    await assertRefused(400, [`Authorization: Bearer ${own}`, `X-Api-Key: ${other.proxyKey}`]);
    await assertRefused(400, [`X-Api-Key: ${own}`, `Authorization: Bearer ${other.proxyKey}`]);
    await assertRefused(400, [`X-Api-Key: ${own}`, 'Authorization: Bearer px_nobody']);
    const { body } = await stage.gateway.admin(`/licenses/${other.licenseId}`);
    const { license } = body as unknown as { license: { usage: { today: number } } };
    assert.equal(license.usage.today, 0);
  });

  it('the first Authorization counts where there are two, and a second one changes nothing', async () => {
    await assertServed(OPENAI, [`Authorization: Bearer ${own}`, `Authorization: Bearer ${other.proxyKey}`]);
    await assertRefused(401, ['Authorization: Bearer sk-foreign', `Authorization: Bearer ${own}`]);
  });

  it('a key that is not quite one is refused', async () => {
    await assertRefused(401, [`X-Api-Key: ${own}`, `X-Api-Key: ${own}`]);
    await assertRefused(401, [`X-Api-Key: ${own},${own}`]);
    await assertRefused(401, [`Authorization: ${own}`]);
    await assertRefused(401, [`Authorization: Basic ${own}`]);
    await assertRefused(401, [`Authorization: Bearer\t${own}`]);
    await assertRefused(401, [`Authorization: Bearer "${own}"`]);
    await assertRefused(401, [`Authorization: Bearer ${own} x`]);
    await assertRefused(401, [`Authorization: Bearer ${own.toLowerCase()}`]);
    await assertRefused(401, [`Authorization: Bearer ${own.slice(0, -1)}`]);
    await assertRefused(401, [`Authorization: Bearer ${own}\xa0`]);
  });
});
