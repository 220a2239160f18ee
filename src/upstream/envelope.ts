import { areUtf8, cut, joined, type Pieces } from '../pieces.ts';
import { inTurns } from '../in-turns.ts';
import { JsonScanner, JsonSyntaxError, type Member } from './json-scanner.ts';
import { modelOfJson } from './model.ts';

/** The request form of proxy-mode.md, taken apart (contract §4). */
export interface Envelope {
  proxyKey: string;
  provider: string;
  hardwareId: string | undefined;
  /** The provider's request, byte for byte as it stood in the envelope. */
  body: Pieces;
  model: string;
  /** A string's content or a number's digits, as they stand there; undefined where it is missing, or null. */
  timestamp: string | undefined;
  signature: string | undefined;
}

export type ReadEnvelope =
  | { ok: true; envelope: Envelope }
  /** `problem` says what is wrong and where. `isEnvelope`: whether it has any of an envelope's fields at all. */
  | { ok: false; problem: string; isEnvelope: boolean };

const ownFields = ['proxy_key', 'provider', 'hardware_id', 'body'] as const;
const fields = [...ownFields, 'timestamp', 'signature'] as const;
type Field = (typeof fields)[number];

const OPEN_OBJECT = 0x7b;
const QUOTE = 0x22;

/** Takes an envelope apart without parsing what it carries. */
export async function readEnvelope(raw: Pieces): Promise<ReadEnvelope> {
  const found = new Map<Field, Member>();
  let duplicate: string | undefined;
  const scanner = new JsonScanner((member) => {
    if (!isField(member.key)) return;
    // Which of the two counts is what smuggling is made of: nobody sends both in earnest.
    if (found.has(member.key)) duplicate ??= member.key;
    found.set(member.key, member);
  });
  const refuse = (problem: string): ReadEnvelope => ({
    ok: false,
    problem,
    isEnvelope: ownFields.some((field) => found.has(field)),
  });
  if (!areUtf8(raw)) return refuse('The body is not valid UTF-8');
  try {
    await inTurns(raw, (piece) => scanner.feed(piece));
    scanner.end();
  } catch (error) {
    if (error instanceof JsonSyntaxError) return refuse(error.message);
    throw error;
  }
  if (duplicate !== undefined) return refuse(`"${duplicate}" stands in the envelope more than once`);
  return await assemble(raw, found, refuse);
}

async function assemble(
  raw: Pieces,
  found: Map<Field, Member>,
  refuse: (problem: string) => ReadEnvelope,
): Promise<ReadEnvelope> {
  for (const field of ['proxy_key', 'provider', 'body'] as const) {
    if (!found.has(field)) return refuse(`"${field}" is missing from the envelope`);
  }
  const proxyKey = stringAt(raw, found.get('proxy_key'));
  if (proxyKey === undefined) return refuse('"proxy_key" must be a string');
  const provider = stringAt(raw, found.get('provider'));
  if (provider === undefined) return refuse('"provider" must be a string');
  const hardwareId = found.has('hardware_id')
    ? readHardwareId(raw, found.get('hardware_id'))
    : { value: undefined };
  if (hardwareId === undefined) return refuse('"hardware_id" must be a string');
  const member = found.get('body');
  if (member?.firstByte !== OPEN_OBJECT) return refuse('"body" must be a JSON object');
  const body = cut(raw, member.start, member.end);
  const model = modelOfJson(body);
  return {
    ok: true,
    envelope: {
      proxyKey,
      provider,
      hardwareId: hardwareId.value,
      body,
      model: typeof model === 'string' ? model : await model,
      timestamp: textAt(raw, found.get('timestamp')),
      signature: textAt(raw, found.get('signature')),
    },
  };
}

/** `null` counts as not given; undefined: neither that nor a string. */
function readHardwareId(raw: Pieces, member: Member | undefined): { value: string | undefined } | undefined {
  if (member !== undefined && textOf(raw, member, 'latin1') === 'null') return { value: undefined };
  const value = stringAt(raw, member);
  return value === undefined ? undefined : { value: value.trim() };
}

function stringAt(raw: Pieces, member: Member | undefined): string | undefined {
  if (member?.firstByte !== QUOTE) return undefined;
  try {
    return String(JSON.parse(textOf(raw, member, 'utf8')));
  } catch {
    return undefined;
  }
}

/** A string's content, and anything else as it stands there: whoever reads it says what is wrong with it. */
function textAt(raw: Pieces, member: Member | undefined): string | undefined {
  if (member === undefined) return undefined;
  const text = stringAt(raw, member) ?? textOf(raw, member, 'latin1');
  return text === 'null' ? undefined : text;
}

function textOf(raw: Pieces, { start, end }: Member, encoding: 'latin1' | 'utf8'): string {
  return joined(cut(raw, start, end)).toString(encoding);
}

function isField(key: string): key is Field {
  return (fields as readonly string[]).includes(key);
}
