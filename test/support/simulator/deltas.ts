import type { Behaviour } from './behaviour.ts';

/** A known number of pieces, made one by one. */
export interface Deltas<T> extends Iterable<T> {
  readonly count: number;
}

const CLOSING_TEXT_LIMIT = 1024 * 1024;

/** The pieces that a text is streamed in: its words, or what `chunks` and `chunkBytes` ask for. */
export function textDeltas(text: string, behaviour: Behaviour): Deltas<string> {
  const words = text.match(/\S+\s*/g) ?? [text];
  const { chunkBytes } = behaviour;
  const count = behaviour.chunks ?? words.length;
  if (chunkBytes !== undefined) return makeDeltas(count, (index) => filler(index, chunkBytes));
  if (behaviour.chunks === undefined) return makeDeltas(count, (index) => words[index] ?? '');
  return makeDeltas(count, (index) => `${(words[index % words.length] ?? '').trim()} `);
}

/** A string cut into equal pieces, as the arguments of a tool call are streamed. */
export function cutDeltas(text: string, behaviour: Behaviour): Deltas<string> {
  const count = Math.max(1, behaviour.chunks ?? 4);
  const size = Math.ceil(text.length / count);
  return makeDeltas(count, (index) => text.slice(index * size, (index + 1) * size));
}

/** Deltas from a count and a function. */
export function makeDeltas<T>(count: number, make: (index: number) => T): Deltas<T> {
  return {
    count,
    *[Symbol.iterator]() {
      for (let index = 0; index < count; index += 1) yield make(index);
    },
  };
}

/** Each delta turned into something else, e.g. an event. */
export function mapDeltas<T, U>(deltas: Deltas<T>, make: (delta: T, index: number) => U): Deltas<U> {
  return {
    count: deltas.count,
    *[Symbol.iterator]() {
      let index = 0;
      for (const delta of deltas) yield make(delta, index++);
    },
  };
}

/** The whole text, as a plain answer carries it. */
export function wholeText(deltas: Deltas<string>): string {
  return [...deltas].join('');
}

/** The whole text for a stream's closing events, cut at 1 MiB, so that endless streams cost no memory. */
export function closingText(deltas: Deltas<string>): string {
  let text = '';
  for (const delta of deltas) {
    text += delta;
    if (text.length > CLOSING_TEXT_LIMIT) return text.slice(0, CLOSING_TEXT_LIMIT);
  }
  return text;
}

/** `bytes` ASCII characters that begin with the delta's number, so that a reader can see a gap. */
function filler(index: number, bytes: number): string {
  return `${index} `.padEnd(bytes, 'x').slice(0, bytes);
}
