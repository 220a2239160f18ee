/** One request of the demo, as it is sent and as the curl that does the same. */
export interface DemoCall {
  title: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  body: object;
  /** curl then prints events as they come. */
  isStream?: boolean;
}

export interface DemoAnswer {
  status: number;
  rateLimit: Readonly<Record<string, string>>;
  text: string;
}

const JSON_TYPE = 'application/json';

export async function send({ url, headers, body }: DemoCall): Promise<DemoAnswer> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE, ...headers },
    body: JSON.stringify(body),
  });
  const rateLimit = [...answer.headers].filter(([name]) => /^(?:x-ratelimit-.*|retry-after)$/.test(name));
  return { status: answer.status, rateLimit: Object.fromEntries(rateLimit), text: await answer.text() };
}

/** Works in any POSIX shell as it stands. */
export function asCurl({ url, headers, body, isStream }: DemoCall): string {
  const lines = [
    `curl -sS${isStream === true ? 'N' : 'i'} ${url}`,
    ...Object.entries({ ...headers, 'Content-Type': JSON_TYPE }).map(
      ([name, value]) => `-H ${quoted(`${name}: ${value}`)}`,
    ),
    `-d ${quoted(JSON.stringify(body))}`,
  ];
  return lines.join(' \\\n  ');
}

/** An argument for the shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
