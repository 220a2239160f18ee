/** What is fixed about a provider: how its API is spoken to, and which part of it a proxy key may use. */
export interface Provider {
  readonly name: 'openai' | 'anthropic';
  readonly label: string;
  readonly keyHeader: (key: string) => readonly [name: string, value: string];
  /** Sent where the client sends none of its own. */
  readonly defaultHeaders: readonly (readonly [name: string, value: string])[];
  /** What an empty path means. */
  readonly defaultPath: string;
  /**
   * Only calls that cannot reach another customer's data: all customers share one account (contract §4.1). A POST path
   * is whole; a GET path also allows one segment, an id, behind it.
   */
  readonly allowed: { readonly POST: ReadonlySet<string>; readonly GET: ReadonlySet<string> };
}

const openai: Provider = {
  name: 'openai',
  label: 'OpenAI',
  keyHeader: (key) => ['authorization', `Bearer ${key}`],
  defaultHeaders: [],
  defaultPath: '/v1/chat/completions',
  allowed: {
    POST: new Set([
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/responses',
      '/v1/embeddings',
      '/v1/moderations',
      '/v1/images/generations',
      '/v1/images/edits',
      '/v1/images/variations',
      '/v1/audio/speech',
      '/v1/audio/transcriptions',
      '/v1/audio/translations',
    ]),
    GET: new Set(['/v1/models']),
  },
};

const anthropic: Provider = {
  name: 'anthropic',
  label: 'Anthropic',
  keyHeader: (key) => ['x-api-key', key],
  defaultHeaders: [['anthropic-version', '2023-06-01']],
  defaultPath: '/v1/messages',
  allowed: {
    POST: new Set(['/v1/messages', '/v1/messages/count_tokens', '/v1/complete']),
    GET: new Set(['/v1/models']),
  },
};

export const providers: Readonly<Record<Provider['name'], Provider>> = { openai, anthropic };

/** Own properties only: `/proxy/constructor` is no provider. */
export function findProvider(name: string): Provider | undefined {
  return name === 'openai' || name === 'anthropic' ? providers[name] : undefined;
}
