import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { FORBIDDEN_MARKER, OPENAI_KEY, startSimulator } from '../support/simulator/simulator.ts';
import type { Simulator } from '../support/simulator/simulator.ts';

const weatherTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' }, unit: { enum: ['C', 'F'] } },
    },
  },
} as const;

const question = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'Good morning Vienna' }],
};

// The simulator speaks OpenAI.

let simulator: Simulator;
let client: OpenAI;

before(async () => {
  simulator = await startSimulator();
  client = new OpenAI({ apiKey: OPENAI_KEY, baseURL: `${simulator.url}/v1`, maxRetries: 0 });
});
beforeEach(() => simulator.reset());
after(() => simulator.close());

test('completes a chat', async () => {
  const completion = await client.chat.completions.create(question);
  assert.equal(completion.choices[0]?.message.content, 'You said: Good morning Vienna');
  assert.equal(completion.choices[0].finish_reason, 'stop');
  assert.ok((completion.usage?.total_tokens ?? 0) > 0);
  assert.match(completion._request_id ?? '', /^req_/);
  assert.equal(simulator.requests[0]?.url, '/v1/chat/completions');
  assert.equal(simulator.requests[0].headers.authorization, `Bearer ${OPENAI_KEY}`);
});

test('streams a chat, with the usage at the end if asked', async () => {
  const stream = await client.chat.completions.create({
    ...question,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(chunks[0]?.choices[0]?.delta.role, 'assistant');
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
  assert.equal(text, 'You said: Good morning Vienna');
  assert.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'stop');
  assert.deepEqual(chunks.at(-1)?.choices, []);
  assert.ok((chunks.at(-1)?.usage?.total_tokens ?? 0) > 0);
});

test('calls a tool, plain and streamed, until it has the result', async () => {
  const expected = { city: 'Good morning Vienna', days: 42, unit: 'C' };
  const plain = await client.chat.completions.create({ ...question, tools: [weatherTool] });
  const call = plain.choices[0]?.message.tool_calls?.[0];
  assert.ok(call?.type === 'function');
  assert.equal(call.function.name, 'get_weather');
  assert.deepEqual(JSON.parse(call.function.arguments), expected);
  assert.equal(plain.choices[0]?.finish_reason, 'tool_calls');

  const streamed = client.chat.completions.stream({ ...question, tools: [weatherTool] });
  const final = await streamed.finalChatCompletion();
  const again = final.choices[0]?.message.tool_calls?.[0];
  assert.deepEqual(JSON.parse(again?.type === 'function' ? again.function.arguments : ''), expected);

  const answered = await client.chat.completions.create({
    ...question,
    messages: [
      ...question.messages,
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: call.id, content: 'sunny' },
    ],
    tools: [weatherTool],
  });
  assert.equal(answered.choices[0]?.finish_reason, 'stop');
});

test('gives responses, plain, streamed and with a function call', async () => {
  const plain = await client.responses.create({ model: 'gpt-5', input: 'hello there' });
  assert.equal(plain.output_text, 'You said: hello there');

  const types: string[] = [];
  const numbers: number[] = [];
  const stream = client.responses.stream({ model: 'gpt-5', input: 'hello there' });
  for await (const event of stream) {
    types.push(event.type);
    numbers.push(event.sequence_number);
  }
  assert.equal((await stream.finalResponse()).output_text, 'You said: hello there');
  assert.equal(types[0], 'response.created');
  assert.ok(types.includes('response.output_text.delta'));
  assert.equal(types.at(-1), 'response.completed');
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index),
  );

  const { name, parameters } = weatherTool.function;
  const tools = [{ type: 'function' as const, name, parameters, strict: false }];
  const calling = client.responses.stream({ model: 'gpt-5', input: 'hello there', tools });
  const [item] = (await calling.finalResponse()).output;
  assert.ok(item?.type === 'function_call');
  assert.deepEqual(JSON.parse(item.arguments), { city: 'hello there', days: 42, unit: 'C' });
});

test('completes text, plain and streamed', async () => {
  const request = { model: 'gpt-3.5-turbo-instruct', prompt: 'Once upon' };
  const plain = await client.completions.create(request);
  assert.equal(plain.choices[0]?.text, 'You said: Once upon');
  let text = '';
  for await (const chunk of await client.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
  }
  assert.equal(text, 'You said: Once upon');
});

test('embeds the same as base64, which the SDK asks for, and as floats', async () => {
  const request = { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 16 };
  const decoded = await client.embeddings.create(request);
  const floats = await client.embeddings.create({ ...request, encoding_format: 'float' });
  assert.match(String(simulator.requests[0]?.body), /"encoding_format":"base64"/);
  assert.equal(decoded.data.length, 2);
  assert.equal(decoded.data[0]?.embedding.length, 16);
  assert.deepEqual(decoded.data[0].embedding, floats.data[0]?.embedding);
  assert.notDeepEqual(decoded.data[0].embedding, decoded.data[1]?.embedding);
});

test('takes uploads and tells what it received', async () => {
  const audio = Buffer.alloc(300_000, 'la');
  const sha256 = createHash('sha256').update(audio).digest('hex');
  const file = await toFile(audio, 'sång.mp3', { type: 'audio/mpeg' });
  const { text } = await client.audio.transcriptions.create({ file, model: 'whisper-1' });
  assert.equal(text, `Received sång.mp3 (audio/mpeg, 300000 bytes, sha256 ${sha256}).`);
  // Deprecated by OpenAI, but still there and allowed through.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const translated = await client.audio.translations.create({ file, model: 'whisper-1' });
  assert.equal(translated.text, text);
  const edited = await client.images.edit({ image: file, prompt: 'louder' });
  assert.equal(edited.data?.[0]?.revised_prompt, text);
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const varied = await client.images.createVariation({ image: file, n: 2 });
  assert.equal(varied.data?.length, 2);
});

test('moderates, paints, speaks and lists its models', async () => {
  const moderation = await client.moderations.create({ input: ['peace', 'violence'] });
  assert.deepEqual(
    moderation.results.map((result) => result.flagged),
    [false, true],
  );
  const image = await client.images.generate({ prompt: 'a dot' });
  assert.match(image.data?.[0]?.b64_json ?? '', /^iVBOR/);
  const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'hi' });
  const audio = new Uint8Array(await speech.arrayBuffer());
  assert.equal(audio.length, 4096);
  assert.equal(audio[255], 255);
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  assert.ok(models.includes('gpt-4o-mini'));
  assert.equal((await client.models.retrieve('gpt-5')).id, 'gpt-5');
});

test('refuses in the errors that the SDK has types for', async () => {
  const stranger = client.withOptions({ apiKey: 'sk-test-of-somebody-1234' });
  await assert.rejects(stranger.chat.completions.create(question), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    assert.equal(error.code, 'invalid_api_key');
    assert.match(error.message, /^401 Incorrect API key provided: sk-te\*{15}1234\. You can find/);
    return true;
  });
  await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError);
  await assert.rejects(
    client.chat.completions.create({ ...question, model: 'no-such-model' }),
    (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found',
  );
  await assert.rejects(client.post('/chat/completions', { body: { model: 'gpt-5' } }), (error) => {
    return error instanceof OpenAI.BadRequestError && error.param === 'messages';
  });
  await assert.rejects(client.post('/nothing/here', { body: {} }), OpenAI.NotFoundError);
  await assert.rejects(client.get('/embeddings'), (error) => {
    return error instanceof OpenAI.APIError && error.status === 405;
  });
  const headers = { authorization: `Bearer ${OPENAI_KEY}`, 'content-type': 'application/json' };
  const url = `${simulator.url}/v1/chat/completions`;
  assert.equal((await fetch(url, { method: 'POST', headers, body: '{"model":' })).status, 400);
});

test('shows when a call got through to what an account stores', async () => {
  for (const path of ['/files', '/organization/projects', '/chat/completions', '/models/../files']) {
    const answer = await client.get<{ data: { id: string }[] }>(path);
    assert.equal(answer.data[0]?.id, FORBIDDEN_MARKER, path);
  }
  const deleted = await client.delete<{ data: { id: string }[] }>('/responses/resp_1');
  assert.equal(deleted.data[0]?.id, FORBIDDEN_MARKER);
});
