import type { ChatRequest, Licensify } from '../../clients/typescript/src/index.ts';
import { asCommandError, type ChatOptions } from './client-commands.ts';
import { CommandError, INTERRUPTED, UsageError, type Terminal } from './terminal.ts';

type Message = ChatRequest['messages'][number];

const MODELS = { openai: 'gpt-4o-mini', anthropic: 'claude-3-5-haiku-latest' };

/** One answer, or a conversation where a person is at the terminal and has said nothing yet. Ctrl-C ends the answer. */
export async function chatWith(
  terminal: Terminal,
  client: Licensify,
  words: string,
  options: ChatOptions,
): Promise<void> {
  const stop = new AbortController();
  terminal.onStop(() => stop.abort(new CommandError('Interrupted.')));
  const messages: Message[] = [];
  const say = async (content: string): Promise<void> => {
    messages.push({ role: 'user', content });
    messages.push({
      role: 'assistant',
      content: await answer(terminal, client, messages, options, stop.signal),
    });
  };
  if (words !== '') return say(words);
  const { ask } = terminal;
  if (ask === undefined) {
    const input = (await terminal.readInput()).trim();
    if (input === '')
      throw new UsageError('There is nothing to say: put it behind "chat", or on standard input.');
    return say(input);
  }
  terminal.complain('An empty line ends the conversation.');
  for (;;) {
    const line = (await ask('> ')).trim();
    if (line === '' || stop.signal.aborted) return;
    await say(line);
  }
}

async function answer(
  terminal: Terminal,
  client: Licensify,
  messages: readonly Message[],
  { provider, model, maxTokens, json }: ChatOptions,
  signal: AbortSignal,
): Promise<string> {
  const asked = model ?? MODELS[provider];
  let text = '';
  try {
    const limit = maxTokens !== undefined && { maxTokens };
    for await (const piece of client.chat({ provider, model: asked, messages, ...limit }, { signal })) {
      text += piece;
      terminal.write(json === true ? `${JSON.stringify({ delta: piece })}\n` : safeText(piece));
    }
  } catch (error) {
    // What came stays on its line, and does not pass for the whole.
    if (json !== true && text !== '') terminal.write('\n');
    if (!signal.aborted) throw asCommandError(error);
    throw new InterruptedError('Interrupted: the answer is not complete.');
  }
  if (json === true)
    terminal.print(JSON.stringify({ done: true, provider, model: asked, quota: client.quota ?? null }));
  else terminal.write('\n');
  if (json !== true && terminal.isInteractive) terminal.complain(quotaText(client));
  return text;
}

/** Ended by Ctrl-C. */
class InterruptedError extends CommandError {
  override readonly exitCode = INTERRUPTED;
}

function quotaText({ quota }: Licensify): string {
  if (quota === undefined) return '';
  return quota.remaining === null
    ? '(unlimited)'
    : `(${quota.remaining} left until ${quota.resetAt.toISOString()})`;
}

/** What a model says must not move the cursor, colour the terminal or set its title; lines and tabs may stay. */
function safeText(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}
