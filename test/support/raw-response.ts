/** An HTTP answer as it stood on the wire. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** In the order and spelling in which they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Without its chunked framing. */
  readonly body: Buffer;
  /** The statuses of the informational answers before it, such as 100. */
  readonly informational: readonly number[];
}

interface Parsed {
  response: RawResponse;
  /** Of the bytes that were given, how many the response took. */
  length: number;
}

type Framing = { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'until-close' };

/**
 * Reads the first whole answer of what a connection has sent so far; undefined while it is not whole.
 * @param ended nothing more will come: an answer without a length is whole then
 * @throws if the bytes are no HTTP answer
 */
export function parseResponse(
  bytes: Buffer,
  { method, ended }: { method: string; ended: boolean },
): Parsed | undefined {
  const informational: number[] = [];
  for (let at = 0; ;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) return undefined;
    const head = parseHead(bytes.toString('latin1', at, headEnd));
    at = headEnd + 4;
    if (head.status < 200 && head.status !== 101) {
      informational.push(head.status);
      continue;
    }
    const framing = framingOf(head, method);
    const body = takeBody(bytes.subarray(at), framing, ended);
    if (body === undefined) return undefined;
    return { response: { ...head, informational, body: body.content }, length: at + body.length };
  }
}

/** The values of all fields of a name. */
export function headerValues({ headers }: Pick<RawResponse, 'headers'>, name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value);
}

/** The value of a field that stands there at most once. @throws if it stands there more often */
export function headerValue(response: Pick<RawResponse, 'headers'>, name: string): string | undefined {
  const values = headerValues(response, name);
  if (values.length > 1) throw new Error(`the answer has ${values.length} fields named ${name}`);
  return values[0];
}

function parseHead(head: string): Omit<RawResponse, 'body' | 'informational'> {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const [, status, reason = ''] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`not an HTTP status line: ${JSON.stringify(statusLine)}`);
  const headers = lines.map((line) => {
    const [, name, value] = /^([!#$%&'*+.^`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Error(`not a header line: ${JSON.stringify(line)}`);
    return [name, value] as const;
  });
  return { status: Number(status), reason, headers };
}

function framingOf(head: Pick<RawResponse, 'status' | 'headers'>, method: string): Framing {
  if (method === 'HEAD' || head.status === 204 || head.status === 304) return { kind: 'length', length: 0 };
  if (headerValue(head, 'transfer-encoding')?.toLowerCase() === 'chunked') return { kind: 'chunked' };
  const length = headerValue(head, 'content-length');
  return length === undefined ? { kind: 'until-close' } : { kind: 'length', length: Number(length) };
}

function takeBody(
  bytes: Buffer,
  framing: Framing,
  ended: boolean,
): { content: Buffer; length: number } | undefined {
  switch (framing.kind) {
    case 'length':
      if (bytes.length < framing.length) return undefined;
      return { content: bytes.subarray(0, framing.length), length: framing.length };
    case 'chunked':
      return takeChunks(bytes);
    case 'until-close':
      return ended ? { content: bytes, length: bytes.length } : undefined;
  }
}

function takeChunks(bytes: Buffer): { content: Buffer; length: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const line = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-f]+(?:;.*)?$/i.test(line)) throw new Error(`not a chunk's size: ${JSON.stringify(line)}`);
    const size = parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) {
      const end = bytes.indexOf('\r\n', at) === at ? at + 2 : bytes.indexOf('\r\n\r\n', at) + 4;
      return end < at + 2 || end > bytes.length ? undefined : { content: Buffer.concat(chunks), length: end };
    }
    if (bytes.length < at + size + 2) return undefined;
    chunks.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}
