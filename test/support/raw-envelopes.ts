import { CHAT } from './raw-stage.ts';

/** What a malformed envelope is answered. */
export interface BadEnvelope {
  readonly text: string | Buffer;
  readonly status: number;
  readonly code: string;
  /** What the sentence must say. */
  readonly says: RegExp;
}

const invalid = (text: string | Buffer, says: RegExp): BadEnvelope => ({
  text,
  status: 400,
  code: 'invalid_request',
  says,
});

/** Every way to get an envelope wrong; where it has a key at all, it is the valid one. */
export function badEnvelopes(proxyKey: string): Record<string, BadEnvelope> {
  const key = `"proxy_key":"${proxyKey}"`;
  const provider = '"provider":"openai"';
  const body = `"body":${CHAT}`;
  const whole = `{${key},${provider},${body}}`;
  return {
    ...wrongBodies((text) => `{${key},${provider},"body":${text}}`),
    ...wrongFields(key, provider, body),
    ...duplicates(whole.slice(0, -1), proxyKey),
    ...badBytes(whole),
    'no body': invalid(`{${key},${provider}}`, /"body" is missing/),
    'no provider': invalid(`{${key},${body}}`, /"provider" is missing/),
    'no key': invalid(`{${provider},${body}}`, /"proxy_key" is missing/),
    'an empty object': invalid('{}', /"proxy_key" is missing/),
    'an array around it': invalid(`[${whole}]`, /JSON object/),
    'a string': invalid(JSON.stringify(whole), /JSON object/),
    null: invalid('null', /JSON object/),
    'a number': invalid('1', /JSON object/),
    'no text at all': invalid('', /empty/),
    'white space': invalid(' \r\n\t', /too early/),
    'text behind it': invalid(`${whole}x`, /end of the body/),
    'another one behind it': invalid(whole + whole, /end of the body/),
    'a NUL behind it': invalid(`${whole}\0`, /end of the body/),
    'a comma too many': invalid(`{${key},${provider},${body},}`, /at byte \d+/),
    'single quotes': invalid(whole.replaceAll('"', "'"), /at byte \d+/),
    'a comment': invalid(`{/* */${whole.slice(1)}`, /at byte \d+/),
    'a form instead of JSON': invalid(`proxy_key=${proxyKey}&provider=openai`, /JSON object/),
  };
}

function wrongBodies(envelope: (body: string) => string): Record<string, BadEnvelope> {
  const deep = (open: string, close: string): string => envelope(open.repeat(10_000) + close.repeat(10_000));
  return {
    'a body that is an array': invalid(envelope('[]'), /"body" must be a JSON object/),
    'a body that is a string': invalid(envelope(JSON.stringify(CHAT)), /"body" must be a JSON object/),
    'a body that is null': invalid(envelope('null'), /"body" must be a JSON object/),
    'a body that is a number': invalid(envelope('1'), /"body" must be a JSON object/),
    'a body that is true': invalid(envelope('true'), /"body" must be a JSON object/),
    'a body of arrays, 10,000 deep': invalid(deep('[', ']'), /nested more than/),
    'a body of objects, 10,000 deep': invalid(deep('{"a":', '}'), /nested more than/),
    'a body that only opens, 10,000 times': invalid(envelope('{"a":['.repeat(10_000)), /nested more than/),
    'a body with a number that is none': invalid(envelope('{"a":01}'), /not a JSON value/),
    'a body that closes with the wrong bracket': invalid(envelope('{"a":[1}}'), /at byte \d+/),
  };
}

function wrongFields(key: string, provider: string, body: string): Record<string, BadEnvelope> {
  const table: Record<string, BadEnvelope> = {};
  for (const value of ['null', '1', '["px_"]', '{"a":"px_"}', 'true']) {
    table[`a key that is ${value}`] = invalid(
      `{"proxy_key":${value},${provider},${body}}`,
      /"proxy_key" must be/,
    );
    table[`a provider that is ${value}`] = invalid(
      `{${key},"provider":${value},${body}}`,
      /"provider" must be/,
    );
    if (value === 'null') continue; // as good as left out
    const text = `{${key},${provider},"hardware_id":${value},${body}}`;
    table[`a hardware id that is ${value}`] = invalid(text, /"hardware_id" must be/);
  }
  for (const name of ['anthropic', 'OpenAI', 'openai ', '', 'openai\\u0000', 'google', '\\ud800']) {
    const text = `{${key},"provider":"${name}",${body}}`;
    table[`the provider "${name}"`] = {
      text,
      status: 400,
      code: 'provider_mismatch',
      says: /must be the same/,
    };
  }
  for (const id of ['hw-other', '', 'HW-TEST', 'hw-test\\u0000', '\\ud800', 'x'.repeat(100_000)]) {
    const text = `{${key},${provider},"hardware_id":"${id}",${body}}`;
    const says = /^Hardware ID not activated for this license$/;
    table[`the hardware id "${id.slice(0, 20)}"`] = {
      text,
      status: 403,
      code: 'hardware_not_activated',
      says,
    };
  }
  for (const wrong of ['', 'px_', 'px_\\ud800', 'sk-1', 'x'.repeat(1_000_000), `px_${'a'.repeat(40)}`]) {
    const text = `{"proxy_key":"${wrong}",${provider},${body}}`;
    const refused = { text, status: 401, code: 'invalid_proxy_key', says: /^Invalid proxy key/ };
    table[`the key "${wrong.slice(0, 10)}" of ${wrong.length}`] = refused;
  }
  return table;
}

function duplicates(begun: string, proxyKey: string): Record<string, BadEnvelope> {
  const table: Record<string, BadEnvelope> = {};
  for (const field of [
    `"body":{"model":"other"}`,
    `"\\u0062ody":{}`,
    `"body":null`,
    `"proxy_key":"${proxyKey}"`,
    `"proxy_key":"px_other"`,
    `"pro\\u0078y_key":"px_other"`,
    `"\\u0070\\u0072\\u006f\\u0078\\u0079_key":null`,
    `"provider":"anthropic"`,
    `"provide\\u0072":"openai"`,
    `"hardware_id":"hw-test","hardware\\u005Fid":"hw-test"`,
  ]) {
    table[`twice: ${field.replaceAll(proxyKey, '…')}`] = invalid(`${begun},${field}}`, /more than once/);
  }
  return table;
}

function badBytes(whole: string): Record<string, BadEnvelope> {
  const inBody = (...bytes: number[]): Buffer => {
    const [before = '', after = ''] = whole.split('Hello');
    return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
  };
  const utf8 = /not valid UTF-8/;
  return {
    'a byte order mark': invalid(`\ufeff${whole}`, /JSON object/),
    'UTF-16': invalid(Buffer.from(whole, 'utf16le'), /at byte \d+/),
    'a byte that begins no character': invalid(inBody(0xff), utf8),
    'a character that is cut off': invalid(inBody(0xe2, 0x82), utf8),
    'an overlong slash': invalid(inBody(0xc0, 0xaf), utf8),
    'an overlong quote': invalid(inBody(0xc0, 0xa2), utf8),
    'a surrogate in UTF-8': invalid(inBody(0xed, 0xa0, 0x80), utf8),
    'a character beyond Unicode': invalid(inBody(0xf4, 0x90, 0x80, 0x80), utf8),
    'a byte beyond ASCII in a name': invalid(
      Buffer.from(whole.replace('"body"', '"bod\xff"'), 'latin1'),
      utf8,
    ),
  };
}
