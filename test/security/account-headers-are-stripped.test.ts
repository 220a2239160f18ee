import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { headerValue, headerValues, rawPost, type RawResponse } from '../support/raw-http.ts';
import { CHAT, JSON_TYPE, MESSAGE, RawStage } from '../support/raw-stage.ts';
import {
  ANTHROPIC_KEY,
  ANTHROPIC_ORGANIZATION,
  ANTHROPIC_WORKSPACE,
  OPENAI_KEY,
  OPENAI_ORGANIZATION,
  OPENAI_PROJECT,
} from '../support/simulator/simulator.ts';

const account = [
  ANTHROPIC_KEY,
  ANTHROPIC_ORGANIZATION,
  ANTHROPIC_WORKSPACE,
  OPENAI_KEY,
  OPENAI_ORGANIZATION,
  OPENAI_PROJECT,
];
const strippedNames =
  /^(?:set-cookie|openai-organization|openai-project|anthropic-organization-id|anthropic-ratelimit-.*|proxy-.*|te|trailer|upgrade|x-hop|x-ratelimit-(?:.*-(?:requests|tokens)))$/i;

describe('the client learns nothing of our account, and its own limits', () => {
  let stage: RawStage;
  before(async () => {
    stage = await RawStage.start();
  });
  after(() => stage.close());

  function assertOurs(answer: RawResponse, context: string): void {
    const head = answer.headers.map((line) => line.join(': ')).join('\n');
    for (const secret of account) assert.ok(!head.includes(secret), `${context}: a header tells ${secret}`);
    for (const [name] of answer.headers) assert.ok(!strippedNames.test(name), `${context}: ${name}`);
    for (const name of ['Limit', 'Remaining']) {
      assert.deepEqual(headerValues(answer, `X-RateLimit-${name}`), ['-1'], context);
    }
    const reset = headerValue(answer, 'X-RateLimit-Reset') ?? '';
    assert.match(reset, /^\d{4}-\d\d-\d\dT00:00:00Z$/, context);
    assert.match(headerValue(answer, 'X-Licensify-Request-Id') ?? '', /^req_/, context);
  }

  const openai = (...headers: string[]): Buffer =>
    rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE, ...headers], CHAT);
  const anthropic = (...headers: string[]): Buffer =>
    rawPost('/proxy/anthropic/v1/messages', [stage.bearer, JSON_TYPE, ...headers], MESSAGE);

  for (const simulate of [
    'delay=0',
    'status=400',
    'status=404',
    'status=429',
    'status=500',
    'status=302',
    'status=401',
  ]) {
    it(`whatever the provider answers: ${simulate}`, async () => {
      assertOurs(await stage.ask(openai(`x-simulate: ${simulate}`)), `openai ${simulate}`);
      assertOurs(await stage.ask(anthropic(`x-simulate: ${simulate}`)), `anthropic ${simulate}`);
    });
  }

  it('a stream too, which no proxy in between may hold back', async () => {
    const stream = CHAT.replace('{', '{"stream":true,');
    const answer = await stage.ask(
      rawPost('/proxy/openai/v1/chat/completions', [stage.bearer, JSON_TYPE], stream),
    );
    assertOurs(answer, 'stream');
    assert.equal(headerValue(answer, 'X-Accel-Buffering'), 'no');
  });

  it('nothing that concerns only the connection to the provider', async () => {
    const hop = [
      'header:Connection=close%2C X-Hop',
      'header:X-Hop=1',
      'header:Proxy-Authenticate=Basic',
      'header:Upgrade=h2c',
      'header:Keep-Alive=timeout%3D1',
      'header:X-End=2',
    ];
    const answer = await stage.ask(openai(`x-simulate: ${hop.join(', ')}`));
    assertOurs(answer, 'hop-by-hop');
    assert.equal(headerValue(answer, 'X-End'), '2');
    assert.equal(headerValue(answer, 'Connection'), 'keep-alive');
    assert.equal(headerValue(answer, 'Keep-Alive'), 'timeout=75', "our own connection's, not the provider's");
  });

  it("the provider cannot pass its own figures off as ours, and its request's id stays", async () => {
    const lies = [
      'header:X-RateLimit-Limit=99',
      'header:x-ratelimit-remaining=99',
      'header:X-Licensify-Request-Id=lie',
    ];
    const answer = await stage.ask(openai(`x-simulate: ${lies.join(', ')}`));
    assertOurs(answer, 'lies');
    assert.equal(headerValues(answer, 'X-Licensify-Request-Id').length, 1);
    assert.match(headerValue(answer, 'x-request-id') ?? '', /^req_/);
    assert.match(headerValue(await stage.ask(anthropic()), 'request-id') ?? '', /^req_/);
  });
});
