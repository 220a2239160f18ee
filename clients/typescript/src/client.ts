import { toDate, type Activation } from './activation.ts';
import { asObject } from './answers.ts';
import { Calls, chatCall, textOf, type CallOptions, type ChatRequest, type Provider } from './calls.ts';
import type { StreamEvent } from './completeness.ts';
import { DeviceError, LicensifyError } from './errors.ts';
import { checkedApp, Keys } from './keys.ts';
import { orUnlimited, type Quota } from './quota.ts';
import { sdkFetch } from './sdk-fetch.ts';
import { Signer, type Signing } from './signer.ts';
import type { Store } from './store.ts';
import { Transport } from './transport.ts';

export interface LicensifyOptions {
  /** Where the gateway is. */
  url: string | URL;
  /** Separates applications that share a machine and a gateway. Default: `default`. */
  app?: string;
  /** Activates with it where this device is not activated. */
  licenseKey?: string;
  /** Default: derived from the machine's own id, else generated once and kept. */
  hardwareId?: string;
  /** Default: files with mode 0600, `chrome.storage.local`, `localStorage`, or memory, as the place has them. */
  store?: Store;
  /** Whether the license key is kept beside the proxy key, to activate again without a person. Default: true. */
  keepLicenseKey?: boolean;
  /** Of calls to the license endpoints. Milliseconds; default: 30,000. */
  timeoutMs?: number;
  /** How often a call is tried again that the gateway refused with 503 and nothing done. Default: 2. */
  maxRetries?: number;
  /** Allows `http://` to other machines: keys then travel in the clear. Default: false. */
  allowHttp?: boolean;
  /** How requests are signed. Default: `auto`, as the license's tier asks. */
  signing?: Signing;
  /** The time, in milliseconds since 1970. Default: `Date.now`. */
  now?: () => number;
  /** Default: the platform's. */
  fetch?: typeof fetch;
}

/** For every call that asks the gateway. */
export interface Abortable {
  signal?: AbortSignal;
}

/** What `/check` tells. Limits are requests; null stands for unlimited. */
export interface LicenseState {
  valid: boolean;
  /** Why not, as an error code. */
  reason: string | undefined;
  tier: string;
  expiresAt: Date | null;
  usageToday: number;
  dailyLimit: number | null;
  usageThisMonth: number;
  monthlyLimit: number | null;
  resetAt: Date;
}

/** A tier that customers can have. */
export interface Tier {
  id: string;
  name: string;
  description: string;
  features: string[];
  dailyLimit: number | null;
  monthlyLimit: number | null;
  maxDevices: number | null;
  priceMonthly: number | null;
  selfService: boolean;
}

/** What the constructors of the official SDKs take. */
export interface SdkOptions {
  baseURL: string;
  apiKey: string;
  fetch: typeof fetch;
}

/** A licensed device of one gateway. */
export class Licensify {
  readonly #transport: Transport;
  readonly #keys: Keys;
  readonly #calls: Calls;
  readonly #timeoutMs: number;
  /** Replaces the SDK's key by this device's, renews it when it is refused, and signs where that is asked for. */
  readonly fetch: typeof fetch;

  /** @throws LicensifyError for a URL or an app name that cannot be used */
  constructor(options: LicensifyOptions) {
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#transport = new Transport({
      url: options.url,
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      allowHttp: options.allowHttp ?? false,
      maxRetries: options.maxRetries ?? 2,
    });
    this.#keys = new Keys({
      transport: this.#transport,
      app: checkedApp(options.app ?? 'default'),
      store: options.store,
      licenseKey: options.licenseKey,
      hardwareId: options.hardwareId,
      keepLicenseKey: options.keepLicenseKey ?? true,
      signing: options.signing ?? 'auto',
      timeoutMs: this.#timeoutMs,
    });
    const signer = new Signer(options.signing ?? 'auto', options.now ?? ((): number => Date.now()));
    this.#calls = new Calls(this.#transport, this.#keys, signer);
    this.fetch = sdkFetch(this.#transport, this.#keys, signer);
  }

  /** The gateway's URL, without a slash at its end. */
  get url(): string {
    return this.#transport.url;
  }

  /** What the last answer said is left; undefined before there was one. */
  get quota(): Quota | undefined {
    return this.#transport.quota;
  }

  /**
   * Activates this device and keeps its key. Doing it again gives it a new key.
   * @throws LicenseError, DeviceError (the license has its devices), UnavailableError, StoreError (it could not be kept)
   */
  activate(licenseKey: string, hardwareId?: string, { signal }: Abortable = {}): Promise<Activation> {
    return this.#keys.activate(licenseKey, hardwareId, signal);
  }

  /** Frees the device and forgets its key. A device that was removed already is forgotten alike. */
  async deactivate({ signal }: Abortable = {}): Promise<void> {
    const identity = await this.#keys.identity(signal);
    try {
      await this.#transport.json('/deactivate', identity, this.#sending(signal));
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
    }
    await this.#keys.forget();
  }

  /** Forgets this device's key without a word to the gateway. */
  forget(): Promise<void> {
    return this.#keys.forget();
  }

  /** The state of the license; counts nothing. */
  async check({ signal }: Abortable = {}): Promise<LicenseState> {
    const identity = await this.#keys.identity(signal);
    const answer = await this.#transport.json('/check', identity, this.#sending(signal));
    return {
      valid: answer.valid === true,
      reason: typeof answer.reason === 'string' ? answer.reason : undefined,
      tier: String(answer.tier),
      expiresAt: toDate(answer.expires_at),
      usageToday: Number(answer.usage_today),
      dailyLimit: orUnlimited(Number(answer.daily_limit)),
      usageThisMonth: Number(answer.usage_this_month),
      monthlyLimit: orUnlimited(Number(answer.monthly_limit)),
      resetAt: new Date(String(answer.reset_at)),
    };
  }

  /** The tiers that the gateway shows. Needs no activation. */
  async tiers({ signal }: Abortable = {}): Promise<Tier[]> {
    const { tiers } = await this.#transport.json('/tiers', undefined, this.#sending(signal));
    return (Array.isArray(tiers) ? tiers : []).map((tier) => readTier(asObject(tier) ?? {}));
  }

  /** This device's key, a secret: `px_…`, or in direct mode the provider's own. */
  async key({ signal }: Abortable = {}): Promise<string> {
    return (await this.#keys.current(signal)).proxy_key;
  }

  /** What this device is called where nobody says otherwise. */
  hardwareId(): Promise<string> {
    return this.#keys.hardwareId();
  }

  /** `new OpenAI(await licensify.openai())`. */
  openai(options: Abortable = {}): Promise<SdkOptions> {
    return this.#sdk('openai/v1', options);
  }

  /** `new Anthropic(await licensify.anthropic())`. */
  anthropic(options: Abortable = {}): Promise<SdkOptions> {
    return this.#sdk('anthropic', options);
  }

  /** A call without an SDK: a good answer, its body still to be read. A string as `body` is sent as it stands. */
  request(provider: Provider, path: string, body: unknown, options?: CallOptions): Promise<Response> {
    return this.#calls.request(provider, path, body, options);
  }

  /** The same, its JSON. */
  call(provider: Provider, path: string, body: unknown, options?: CallOptions): Promise<unknown> {
    return this.#calls.call(provider, path, body, options);
  }

  /**
   * The events of a streamed answer as they come; `body` holds `"stream": true`.
   * @throws IncompleteError where the stream breaks off: it ends in silence only where it is complete
   */
  stream(
    provider: Provider,
    path: string,
    body: unknown,
    options?: CallOptions,
  ): AsyncGenerator<StreamEvent, void> {
    return this.#calls.stream(provider, path, body, options);
  }

  /** The pieces of a chat's answer as they come. @throws as `stream` */
  async *chat(request: ChatRequest, options?: CallOptions): AsyncGenerator<string, void> {
    const { provider, path, body } = chatCall(request);
    for await (const event of this.#calls.stream(provider, path, body, options)) {
      const text = textOf(event);
      if (text !== '') yield text;
    }
  }

  async #sdk(path: string, { signal }: Abortable): Promise<SdkOptions> {
    const apiKey = await this.key({ ...(signal !== undefined && { signal }) });
    if (!apiKey.startsWith('px_')) {
      throw new LicensifyError(
        'This gateway hands out the key of the provider itself: use key() as its API key',
        {
          code: 'direct_mode',
        },
      );
    }
    return { baseURL: `${this.url}/proxy/${path}`, apiKey, fetch: this.fetch };
  }

  #sending(signal: AbortSignal | undefined): { signal: AbortSignal | undefined; timeoutMs: number } {
    return { signal, timeoutMs: this.#timeoutMs };
  }
}

function readTier(tier: Record<string, unknown>): Tier {
  const { features, price_monthly: price } = tier;
  return {
    id: String(tier.id),
    name: String(tier.name),
    description: typeof tier.description === 'string' ? tier.description : '',
    features: Array.isArray(features) ? features.map(String) : [],
    dailyLimit: orUnlimited(Number(tier.daily_limit)),
    monthlyLimit: orUnlimited(Number(tier.monthly_limit)),
    maxDevices: orUnlimited(Number(tier.max_devices)),
    priceMonthly: typeof price === 'number' ? price : null,
    selfService: tier.self_service === true,
  };
}
