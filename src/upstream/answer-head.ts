import { isFieldValue, type HeaderList } from '../header-list.ts';

/** Nobody can say what was meant, or how long it is: its connection cannot be used any more. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** To look for a name takes longer the more there are; no provider has a tenth of these. */
const MOST_FIELDS = 1_000;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The head of an answer, and what of it says how the answer ends and whether another may follow. */
export interface AnswerHead {
  readonly status: number;
  /** Names are in lower case; a name comes as often as it was said. */
  readonly fields: HeaderList;
  /** HTTP/1.0 */
  readonly isOld: boolean;
  length: number | undefined;
  isChunked: boolean;
  closes: boolean;
  keepsOpen: boolean;
  /** How long the other side keeps the connection open. Seconds. */
  keepsFor: number | undefined;
}

/**
 * Reads a head, without the empty line behind it (RFC 9112 §4, §5).
 * @throws BadAnswer
 */
export function readHead(text: string): AnswerHead {
  const lineEnd = text.indexOf('\r\n');
  const [, minor, code] = STATUS_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd)) ?? [];
  if (code === undefined) throw new BadAnswer('It does not begin with a status line');
  const head: AnswerHead = {
    status: Number(code),
    fields: [],
    isOld: minor === '0',
    length: undefined,
    isChunked: false,
    closes: false,
    keepsOpen: false,
    keepsFor: undefined,
  };
  for (let at = lineEnd < 0 ? text.length : lineEnd + 2; at < text.length;) {
    const next = text.indexOf('\r\n', at);
    const end = next < 0 ? text.length : next;
    takeField(text, at, end, head);
    at = end + 2;
  }
  return head;
}

function takeField(text: string, start: number, end: number, head: AnswerHead): void {
  const { fields } = head;
  const colon = text.indexOf(':', start);
  if (colon < 0 || colon > end) throw new BadAnswer('A header line has no name');
  const name = lowerName(text.slice(start, colon));
  const value = withoutSpace(text, colon + 1, end);
  if (fields.length >= 2 * MOST_FIELDS) throw new BadAnswer('It has too many headers');
  if (!isFieldValue(value)) throw new BadAnswer(`The header ${name} has a control character`);
  fields.push(name, value);
  // Few names have these lengths, which is quicker to see than that they are none of these.
  switch (name.length) {
    case 10:
      if (name === 'connection') takeConnection(value, head);
      else if (name === 'keep-alive') head.keepsFor ??= keepAliveTimeout(value);
      break;
    case 14:
      if (name === 'content-length') head.length = lengthIn(value, head.length);
      break;
    case 17:
      if (name === 'transfer-encoding') {
        if (head.isChunked || value.toLowerCase() !== 'chunked')
          throw new BadAnswer('Its only transfer coding may be chunked');
        head.isChunked = true;
      }
  }
}

/** Of what is not passed on only that it is a field (RFC 9112 §5). */
export function checkField(line: string): void {
  const colon = line.indexOf(':');
  if (colon < 0 || !TOKEN.test(line.slice(0, colon)) || !isFieldValue(line.slice(colon + 1)))
    throw new BadAnswer('A trailer is no field');
}

/** Names as they were said, and in lower case: providers say the same few with each answer. */
const lowerNames = new Map<string, string>();
const MOST_NAMES = 1_000;

function lowerName(name: string): string {
  const known = lowerNames.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) throw new BadAnswer('A header has a name that is none');
  const lower = name.toLowerCase();
  // A copy: a part of a string holds on to the whole of it.
  if (lowerNames.size < MOST_NAMES) lowerNames.set(Buffer.from(name).toString('latin1'), lower);
  return lower;
}

/** RFC 9110 §5.6.3: spaces and tabs around a value are not of it. */
function withoutSpace(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function lengthIn(value: string, before: number | undefined): number {
  if (before !== undefined) throw new BadAnswer('Its length is said twice');
  if (!/^\d{1,15}$/.test(value)) throw new BadAnswer('Its length is no number');
  return Number(value);
}

function takeConnection(value: string, head: AnswerHead): void {
  for (const option of value.toLowerCase().split(',')) {
    const name = option.trim();
    if (name === 'close') head.closes = true;
    else if (name === 'keep-alive') head.keepsOpen = true;
  }
}

function keepAliveTimeout(value: string): number | undefined {
  const [, seconds] = /(?:^|[\s,;])timeout=(\d{1,9})(?:$|[\s,;])/i.exec(value) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}
