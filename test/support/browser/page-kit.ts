// Runs in a browser: what a page does with a gateway of another origin.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { Licensify, LicensifyError } from '../../../clients/typescript/src/index.ts';

/** What a page could read of an answer; `blocked` where the browser let it read nothing. */
export interface Seen {
  status?: number;
  headers?: Record<string, string>;
  text?: string;
  blocked?: string;
}

const messages = [{ role: 'user' as const, content: 'Hello' }];
// Both SDKs ask for this, since a key in a page can be read by whoever uses the page: here it is that person's own.
const inBrowser = { dangerouslyAllowBrowser: true };
let hanging: AbortController | undefined;

const kit = {
  /** Any request, and what the page may see of the answer. */
  async ask(url: string, init: RequestInit): Promise<Seen> {
    try {
      const answer = await fetch(url, init);
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        text: await answer.text(),
      };
    } catch (error) {
      return { blocked: String(error) };
    }
  },

  /** Activates, and lets both SDKs speak, plain and streamed. */
  async speak(url: string, licenseKey: string): Promise<Record<string, unknown>> {
    const client = new Licensify({ url });
    const activation = await client.activate(licenseKey);
    const openai = new OpenAI({ ...(await client.openai()), ...inBrowser });
    const anthropic = new Anthropic({ ...(await client.anthropic()), ...inBrowser });
    const chat = { model: 'gpt-4o', messages };
    const { data: completion, response } = await openai.chat.completions.create(chat).withResponse();
    let streamed = '';
    for await (const chunk of await openai.chat.completions.create({ ...chat, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? '';
    }
    const message = { model: 'claude-3-5-haiku-latest', max_tokens: 100, messages };
    const answer = await anthropic.messages.create(message);
    const first = answer.content[0];
    return {
      hardwareId: activation.hardwareId,
      openai: completion.choices[0]?.message.content,
      openaiStreamed: streamed,
      anthropic: first?.type === 'text' ? first.text : '',
      anthropicStreamed: await anthropic.messages.stream(message).finalText(),
      // What the SDKs call _request_id: the provider's own.
      requestId: response.headers.get('x-request-id'),
      remaining: client.quota?.remaining,
      kept: Object.keys(localStorage).sort(),
    };
  },

  /** A later visit: what was kept is enough. */
  async speakAgain(url: string): Promise<string> {
    let text = '';
    for await (const piece of new Licensify({ url }).chat({ model: 'gpt-4o', messages })) text += piece;
    return text;
  },

  /** The first pieces of a stream whose provider then says nothing more. */
  async listen(url: string, count: number): Promise<string[]> {
    hanging = new AbortController();
    const pieces: string[] = [];
    const options = { signal: hanging.signal, headers: { 'x-simulate': 'hang=mid-stream, chunks=8' } };
    const stream = new Licensify({ url }).chat({ model: 'gpt-4o', messages }, options);
    while (pieces.length < count) pieces.push(String((await stream.next()).value));
    return pieces;
  },

  hangUp(): void {
    hanging?.abort();
  },

  /** How the client and the SDK tell the page that something was refused. */
  async fail(url: string): Promise<Record<string, unknown>> {
    const client = new Licensify({ url });
    const own = await client
      .call('openai', 'v1/chat/completions', { model: 'gpt-4o', messages })
      .catch((error: unknown) => error as LicensifyError);
    const openai = new OpenAI({ ...(await client.openai()), ...inBrowser });
    const sdk = await openai.chat.completions
      .create({ model: 'gpt-4o', messages })
      .catch((error: unknown) => error as InstanceType<typeof OpenAI.APIError>);
    return {
      own: own instanceof LicensifyError && [own.name, own.status, own.code, own.retryAfter, own.requestId],
      sdk: sdk instanceof OpenAI.RateLimitError,
    };
  },
};

(globalThis as unknown as { kit: typeof kit }).kit = kit;
