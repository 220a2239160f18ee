import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ANTHROPIC_KEY, OPENAI_KEY, startSimulator } from '../support/simulator/simulator.ts';
import type { Simulator } from '../support/simulator/simulator.ts';

const plain = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'a b c d e f g h' }] };
const streaming = { ...plain, stream: true };

interface Received {
  response: IncomingMessage;
  body: string;
  complete: boolean;
}

// The simulator behaves as it is told.

let simulator: Simulator;
let agent: Agent;

before(async () => {
  simulator = await startSimulator();
  agent = new Agent({ keepAlive: true });
});
beforeEach(() => simulator.reset());
after(async () => {
  agent.destroy();
  await simulator.close();
});

function open(simulate: string, body: object | undefined): ClientRequest {
  const request = httpRequest(`${simulator.url}/v1/chat/completions`, {
    agent,
    method: 'POST',
    headers: {
      authorization: `Bearer ${OPENAI_KEY}`,
      'content-type': 'application/json',
      'x-simulate': simulate,
    },
  });
  request.on('error', () => undefined);
  if (body !== undefined) request.end(JSON.stringify(body));
  return request;
}

async function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

async function call(simulate: string, body: object): Promise<Received> {
  const response = await responseTo(open(simulate, body));
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => response.once('close', resolve));
  return { response, body: text, complete: response.complete };
}

test('answers a status in the format of each provider', async () => {
  const openai = new OpenAI({ apiKey: OPENAI_KEY, baseURL: `${simulator.url}/v1`, maxRetries: 0 });
  const anthropic = new Anthropic({ apiKey: ANTHROPIC_KEY, baseURL: simulator.url, maxRetries: 0 });
  const message = { ...plain, max_tokens: 5 };
  const ask = (status: number): { headers: Record<string, string> } => ({
    headers: { 'x-simulate': `status=${status}, retry-after=7` },
  });
  await assert.rejects(openai.chat.completions.create(plain, ask(429)), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.headers.get('retry-after'), '7');
    assert.equal(error.code, 'rate_limit_exceeded');
    return true;
  });
  await assert.rejects(openai.chat.completions.create(plain, ask(401)), OpenAI.AuthenticationError);
  await assert.rejects(openai.chat.completions.create(plain, ask(403)), OpenAI.PermissionDeniedError);
  await assert.rejects(openai.chat.completions.create(plain, ask(503)), OpenAI.InternalServerError);
  await assert.rejects(anthropic.messages.create(message, ask(529)), Anthropic.OverloadedError);
  await assert.rejects(anthropic.messages.create(message, ask(500)), Anthropic.InternalServerError);
  await assert.rejects(anthropic.messages.create(message, ask(429)), Anthropic.RateLimitError);
});

test('takes a standing behaviour, fixed or by request, and the header wins', async () => {
  simulator.behave({ status: 503, retryAfter: 9 });
  const standing = await call('', plain);
  assert.equal(standing.response.statusCode, 503);
  assert.equal(standing.response.headers['retry-after'], '9');
  assert.equal((await call('status=418', plain)).response.statusCode, 418);
  simulator.behave((request) => (request.body.includes('"stream":true') ? { status: 500 } : undefined));
  assert.equal((await call('', plain)).response.statusCode, 200);
  assert.equal((await call('', streaming)).response.statusCode, 500);
});

test('refuses a directive that it does not know', async () => {
  const answer = await call('statsu=500', plain);
  assert.equal(answer.response.statusCode, 400);
  assert.match(answer.body, /unknown x-simulate directive "statsu"/);
});

test('redirects, adds headers, closes, and ends with trailers', async () => {
  const moved = await call('status=307, location=/v1/files', plain);
  assert.equal(moved.response.statusCode, 307);
  assert.equal(moved.response.headers.location, '/v1/files');
  const named = await call('header:x-hop=1, header:connection=close%2C x-hop, header:server=sim', plain);
  assert.equal(named.response.headers['x-hop'], '1');
  assert.equal(named.response.headers.connection, 'close, x-hop');
  assert.equal(named.response.headers.server, 'sim');
  assert.equal((await call('close', plain)).response.headers.connection, 'close');
  const ended = await call('trailers', plain);
  assert.equal(ended.response.trailers['x-simulated-trailer'], 'the end');
  assert.match(ended.body, /^\{.*\}$/);
});

test('frames a stream in chunks, or by the end of the connection', async () => {
  const chunked = await call('', streaming);
  assert.equal(chunked.response.headers['transfer-encoding'], 'chunked');
  assert.equal(chunked.response.headers['content-type'], 'text/event-stream; charset=utf-8');
  const unframed = await call('chunked=false', streaming);
  assert.equal(unframed.response.headers['transfer-encoding'], undefined);
  assert.equal(unframed.response.headers.connection, 'close');
  assert.equal(unframed.body, chunked.body);
});

test('sends as many deltas of the size that is asked for, at the pace that is asked for', async () => {
  const started = Date.now();
  const answer = await call('chunks=5, chunk-bytes=1000, chunk-delay=20, delay=30', streaming);
  assert.ok(Date.now() - started >= 30 + 4 * 20 - 5);
  const contents = [...answer.body.matchAll(/"content":"([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.deepEqual(
    contents.map((content) => [content.length, content.slice(0, 3)]),
    [0, 1, 2, 3, 4].map((index) => [1000, `${index} x`]),
  );
});

test('waits for a slow reader, and shows how much it has sent', async () => {
  const request = open('chunks=2000, chunk-bytes=16384', streaming);
  const response = await responseTo(request);
  response.pause();
  const record = await simulator.waitForRequest();
  await sleep(100);
  const sent = record.bytesWritten;
  await sleep(100);
  assert.equal(record.bytesWritten, sent);
  assert.ok(sent > 0 && sent < 16_000_000, `${sent} bytes sent to a reader that reads nothing`);
  response.resume();
  await record.closed;
  assert.ok(record.responseFinished);
  assert.ok(record.bytesWritten > 2000 * 16384);
});

test('dies where it is told', async () => {
  await assert.rejects(once(open('die=before-headers', plain), 'response'), { code: 'ECONNRESET' });
  const afterHeaders = await call('die=after-headers', streaming);
  assert.deepEqual([afterHeaders.response.statusCode, afterHeaders.body], [200, '']);
  assert.equal(afterHeaders.complete, false);
  const midStream = await call('die=mid-stream', streaming);
  assert.equal(midStream.complete, false);
  assert.match(midStream.body, /"content":"a/);
  assert.doesNotMatch(midStream.body, /"content":"h|\[DONE\]/);
  const midJson = await call('die=mid-json', plain);
  assert.equal(midJson.complete, false);
  const promised = Number(midJson.response.headers['content-length']);
  assert.equal(midJson.body.length, Math.floor(promised / 2));
  assert.ok(simulator.requests.every((record) => !record.aborted && !record.responseFinished));
});

test('hangs until the client goes away, and then knows that it went', async () => {
  const request = open('hang=before-headers', plain);
  const record = await simulator.waitForRequest((candidate) => candidate.ended);
  assert.equal(simulator.openRequests(), 1);
  request.destroy();
  await record.closed;
  assert.ok(record.aborted && !record.responseFinished);
  assert.ok((record.closedAt ?? 0) >= record.receivedAt);

  const stream = open('hang=mid-stream', streaming);
  const response = await responseTo(stream);
  await once(response, 'data');
  assert.equal(simulator.openRequests(), 1);
  response.destroy();
  await simulator.requests[1]?.closed;
  assert.equal(simulator.requests[1]?.aborted, true);
  assert.equal(simulator.openRequests(), 0);
});

test('stops its timers when the client of a slow stream goes away', async () => {
  const response = await responseTo(open('chunk-delay=60000', streaming));
  await once(response, 'data');
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  response.destroy();
  await simulator.requests[0]?.closed;
  assert.ok(timers() < before);
});

test('answers early, before it has read the request', async () => {
  const request = open('early-response, status=413', undefined);
  request.write('{"model":');
  const response = await responseTo(request);
  assert.equal(response.statusCode, 413);
  assert.equal(simulator.requests[0]?.ended, false);
  assert.equal(simulator.requests[0].body.length, 0);
  request.destroy();
});

test('keeps exactly what it received, and counts connections', async () => {
  const fresh = await startSimulator({ openaiKeys: ['sk-mine'] });
  const own = new Agent({ keepAlive: true });
  const headers = ['Host', 'x', 'Authorization', 'Bearer sk-mine', 'X-Dup', '1', 'X-Dup', '2'];
  for (let turn = 0; turn < 2; turn += 1) {
    const request = httpRequest(`${fresh.url}/v1/%6dodels?a=%2F`, { agent: own, headers });
    const [response] = (await once(request.end(), 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    await once(response.resume(), 'end');
  }
  assert.equal(fresh.requests[0]?.url, '/v1/%6dodels?a=%2F');
  assert.deepEqual(fresh.requests[0].rawHeaders.slice(0, headers.length), headers);
  assert.deepEqual([fresh.connectionsOpened(), fresh.openSockets(), fresh.openRequests()], [1, 1, 0]);
  fresh.setKeys('openai', ['sk-other']);
  const rotated = await fetch(`${fresh.url}/v1/models`, { headers: { authorization: 'Bearer sk-mine' } });
  assert.equal(rotated.status, 401);
  await rotated.arrayBuffer();
  fresh.reset();
  await assert.rejects(fresh.waitForRequest(undefined, 10), /no such request within 10 ms/);
  own.destroy();
  await fresh.close();
  assert.equal(fresh.openSockets(), 0);
});

test('answers from memory what it answered before when it records nothing', async () => {
  const quiet = await startSimulator({ record: false });
  const client = new OpenAI({ apiKey: OPENAI_KEY, baseURL: `${quiet.url}/v1`, maxRetries: 0 });
  const first = await client.chat.completions.create(plain);
  const second = await client.chat.completions.create(plain);
  assert.deepEqual({ ...second, _request_id: '' }, { ...first, _request_id: '' });
  assert.notEqual(second._request_id, first._request_id);
  assert.equal(quiet.requests.length, 0);
  await assert.rejects(
    client.withOptions({ apiKey: 'sk-wrong' }).chat.completions.create(plain),
    OpenAI.AuthenticationError,
  );
  await quiet.close();
});
