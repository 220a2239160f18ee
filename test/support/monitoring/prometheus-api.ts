/** One line of a result: its labels, and its value at the moment that was asked for. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface EvaluatedRule {
  readonly name: string;
  /** `ok`, `err`, or `unknown` before its first evaluation. */
  readonly health: string;
  readonly lastError?: string;
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** Asks a Prometheus (https://prometheus.io/docs/prometheus/latest/querying/api/). Rejects with its own message. */
export class PrometheusApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Evaluates an expression now. @throws with Prometheus' message where it does not parse */
  async query(expr: string): Promise<Sample[]> {
    const { result } = await this.#get<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>('query', { query: expr });
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  /** All metrics that there are. */
  async names(): Promise<Set<string>> {
    return new Set(await this.#get<string[]>('label/__name__/values'));
  }

  labelValues(label: string, selector: string): Promise<string[]> {
    return this.#get(`label/${label}/values`, { 'match[]': selector });
  }

  async rules(): Promise<EvaluatedRule[]> {
    const { groups } = await this.#get<{ groups: { rules: EvaluatedRule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async alerts(): Promise<ActiveAlert[]> {
    return (await this.#get<{ alerts: ActiveAlert[] }>('alerts')).alerts;
  }

  async #get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
    const address = `${this.#url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) });
    const body = (await answer.json()) as { status: string; data: T; error?: string };
    if (body.status !== 'success') throw new Error(body.error ?? `${answer.status}`);
    return body.data;
  }
}
