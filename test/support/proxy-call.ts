import type { JsonAnswer, TestGateway } from './gateway.ts';

/** A chat completion with a proxy key, in the drop-in form. */
export function chat(
  gateway: TestGateway,
  proxyKey: string,
  headers: Record<string, string> = {},
): Promise<JsonAnswer> {
  return gateway.request('/proxy/openai/v1/chat/completions', {
    headers: { authorization: `Bearer ${proxyKey}`, ...headers },
    body: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] },
  });
}

/** The status that a chat completion with a proxy key gets. */
export async function chatStatus(
  gateway: TestGateway,
  proxyKey: string,
  headers: Record<string, string> = {},
): Promise<number> {
  return (await chat(gateway, proxyKey, headers)).status;
}
