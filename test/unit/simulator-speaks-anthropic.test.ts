import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import { ANTHROPIC_KEY, FORBIDDEN_MARKER, startSimulator } from '../support/simulator/simulator.ts';
import type { Simulator } from '../support/simulator/simulator.ts';

const question = {
  model: 'claude-sonnet-5-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Good morning Vienna' }],
};

const weatherTool = {
  name: 'get_weather',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string' }, days: { type: 'number' } },
  },
};

// The simulator speaks Anthropic.

let simulator: Simulator;
let client: Anthropic;

before(async () => {
  simulator = await startSimulator();
  client = new Anthropic({ apiKey: ANTHROPIC_KEY, baseURL: simulator.url, maxRetries: 0 });
});
beforeEach(() => simulator.reset());
after(() => simulator.close());

/** A request as SDKs before 1.0 and plain HTTP clients send it. */
function raw(path: string, body: object | string | undefined, headers: Record<string, string> = {}) {
  return fetch(simulator.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-api-key': ANTHROPIC_KEY, 'anthropic-version': '2023-06-01', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

test('answers a message', async () => {
  const message = await client.messages.create(question);
  assert.deepEqual(message.content, [{ type: 'text', text: 'You said: Good morning Vienna' }]);
  assert.equal(message.stop_reason, 'end_turn');
  assert.ok(message.usage.input_tokens > 0);
  assert.match(message._request_id ?? '', /^req_/);
});

test('takes the key as the SDK sends it, and as x-api-key', async () => {
  await client.messages.create(question);
  assert.equal(simulator.requests[0]?.headers.authorization, `Bearer ${ANTHROPIC_KEY}`);
  assert.equal(simulator.requests[0].headers['anthropic-version'], '2026-10-21');
  assert.equal(simulator.requests[0].headers['x-api-key'], undefined);
  assert.equal((await raw('/v1/messages', question)).status, 200);
});

test('streams a message, event by event', async () => {
  const types: string[] = [];
  for await (const event of await client.messages.create({ ...question, stream: true })) {
    types.push(event.type);
  }
  assert.deepEqual(types, [
    'message_start',
    'content_block_start',
    ...Array<string>(5).fill('content_block_delta'),
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  const final = await client.messages.stream(question).finalMessage();
  assert.deepEqual(final.content, [{ type: 'text', text: 'You said: Good morning Vienna' }]);
  assert.equal(final.stop_reason, 'end_turn');
  const wire = await (await raw('/v1/messages', { ...question, stream: true })).text();
  assert.match(wire, /\n\nevent: ping\ndata: \{"type":"ping"\}\n\n/);
});

test('calls a tool, plain and streamed, until it has the result', async () => {
  const request = { ...question, tools: [weatherTool] };
  const plain = await client.messages.create(request);
  const [block] = plain.content;
  assert.ok(block?.type === 'tool_use');
  assert.equal(plain.stop_reason, 'tool_use');
  assert.deepEqual(block.input, { city: 'Good morning Vienna', days: 42 });

  const streamed = await client.messages.stream(request).finalMessage();
  const [again] = streamed.content;
  assert.ok(again?.type === 'tool_use');
  assert.deepEqual(again.input, block.input);

  const answered = await client.messages.create({
    ...request,
    messages: [
      ...question.messages,
      { role: 'assistant', content: plain.content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: block.id, content: 'sunny' }] },
    ],
  });
  assert.equal(answered.stop_reason, 'end_turn');
});

test('counts tokens, lists its models and completes text', async () => {
  const { model, messages } = question;
  assert.ok((await client.messages.countTokens({ model, messages })).input_tokens > 0);
  const models = [];
  for await (const info of client.models.list()) models.push(info.id);
  assert.ok(models.includes('claude-opus-5-5'));
  assert.equal((await client.models.retrieve('claude-opus-5-5')).type, 'model');

  const prompt = '\n\nHuman: Hello\n\nAssistant:';
  const request = { model: 'claude-2.1', max_tokens_to_sample: 10, prompt };
  const plain = (await (await raw('/v1/complete', request)).json()) as { completion: string };
  assert.equal(plain.completion, 'You said: Hello');
  const streamed = await (await raw('/v1/complete', { ...request, stream: true })).text();
  assert.match(streamed, /^event: ping\n.*event: completion\n.*"stop_reason":"stop_sequence"/s);
});

test('refuses in the errors that the SDK has types for', async () => {
  const stranger = client.withOptions({ apiKey: 'sk-ant-of-somebody' });
  await assert.rejects(stranger.messages.create(question), (error) => {
    assert.ok(error instanceof Anthropic.AuthenticationError);
    assert.equal(error.type, 'authentication_error');
    assert.match(error.requestID ?? '', /^req_/);
    return true;
  });
  await assert.rejects(
    client.messages.create({ ...question, model: 'no-such-model' }),
    Anthropic.NotFoundError,
  );
  await assert.rejects(client.post('/v1/messages', { body: { model: 'x', messages: [] } }), (error) => {
    return error instanceof Anthropic.BadRequestError && error.apiMessage === 'max_tokens: Field required';
  });
  await assert.rejects(client.post('/v1/messages', { body: { ...question, temperature: 1 } }), (error) => {
    return error instanceof Anthropic.BadRequestError && error.message.includes('temperature');
  });
  assert.equal((await raw('/v1/messages', { ...question, temperature: 1 })).status, 200);
  await assert.rejects(client.post('/v1/messages/nothing', { body: {} }), Anthropic.NotFoundError);
});

test('refuses plain requests as the real API does', async () => {
  const badKey = await raw('/v1/messages', question, { 'x-api-key': 'px_wrong' });
  assert.equal(badKey.status, 401);
  assert.deepEqual(await badKey.json(), {
    type: 'error',
    error: { type: 'authentication_error', message: 'invalid x-api-key' },
    request_id: badKey.headers.get('request-id'),
  });
  const headers = { 'x-api-key': ANTHROPIC_KEY };
  const noVersion = await fetch(`${simulator.url}/v1/messages`, { method: 'POST', headers, body: '{}' });
  assert.equal(noVersion.status, 400);
  assert.match(await noVersion.text(), /anthropic-version: header is required/);
  assert.equal((await raw('/v1/messages', '{"model":')).status, 400);
  assert.equal((await raw('/v1/messages', undefined)).status, 405);
  const stored = (await (await raw('/v1/messages/batches', undefined)).json()) as {
    data: { id: string }[];
  };
  assert.equal(stored.data[0]?.id, FORBIDDEN_MARKER);
});
