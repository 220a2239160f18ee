import { createHash } from 'node:crypto';
import { isObject } from './reply.ts';
import type { Json } from './reply.ts';

/** Everything simulated was created at this second, so that equal requests get equal answers. */
export const CREATED = 1_790_000_000;

/** A digest of the request, from which ids are made. */
export function digest(body: Buffer | string, length = 24): string {
  return createHash('sha256').update(body).digest('hex').slice(0, length);
}

/** The deterministic answer to a prompt: it repeats what was said. */
export function replyTo(prompt: string): string {
  const heard = prompt.length > 200 ? `${prompt.slice(0, 200)}…` : prompt;
  return `You said: ${heard === '' ? 'nothing' : heard}`;
}

/** Roughly what a tokenizer would count. */
export function countTokens(text: string | Buffer): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** The text of the last user message, whether it is a string or a list of parts. */
export function lastUserText(messages: unknown): string {
  if (typeof messages === 'string') return messages;
  if (!Array.isArray(messages)) return '';
  const last = messages.findLast((message) => isObject(message) && message.role === 'user') as
    Json | undefined;
  return textOf(last?.content);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  const texts = content.map((part: unknown) => (isObject(part) ? part.text : undefined));
  return texts.filter((text) => typeof text === 'string').join(' ');
}

/** Arguments for a tool that fit the properties of its JSON schema. */
export function toolArguments(schema: unknown, prompt: string): Json {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, exampleOf(property, prompt)]),
  );
}

function exampleOf(property: unknown, prompt: string): unknown {
  if (!isObject(property)) return prompt;
  const choices = property.enum;
  if (Array.isArray(choices)) return choices[0] as unknown;
  switch (property.type) {
    case 'number':
    case 'integer':
      return 42;
    case 'boolean':
      return true;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return prompt;
  }
}
