import type { HeaderList } from '../header-list.ts';
import type { Logger } from './log.ts';

export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** Where spans go, and which of them; the names are OpenTelemetry's own (its environment variable specification). */
export interface TracingSettings {
  /** Base URL of an OTLP/HTTP receiver, without `/v1/traces`. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  sampler: (typeof samplers)[number];
  /** Of all traces, for the samplers that take a ratio: 0 to 1. */
  ratio: number;
}

/** What is known of a request when it ends. */
export interface EndedTrace {
  method: string;
  /** Ours, or one that the path policy knows. */
  path: string;
  status: number | undefined;
  outcome: string;
  requestId: string;
  license: string | undefined;
  tier: string | undefined;
  provider: string | undefined;
  /** Whether it is our fault, or a store's or provider's. */
  failed: boolean;
}

/** The call of a provider. */
export interface UpstreamCall {
  provider: string;
  /** Below the provider's base URL. */
  path: string;
  method: string;
  /** '' where it is not known. */
  model: string;
  base: URL;
}

/** The spans of one request. */
export interface RequestTrace {
  readonly traceId: string;
  /** Begins a step; what it returns ends it. */
  step(name: 'authenticate' | 'admit'): (attributes?: Record<string, string>) => void;
  /** Begins the provider's span, and has it go on there: sets `traceparent` among the headers that it is sent. */
  upstream(call: UpstreamCall, headers: HeaderList): void;
  /** @param status the provider's, where it answered */
  end(ended: EndedTrace, status: number | undefined): void;
}

export interface Tracing {
  /** @param startedAt of `performance.now()` */
  begin(traceparent: string | string[] | undefined, startedAt: number): RequestTrace;
  /** Sends what is left, for two seconds at most. */
  close(): Promise<void>;
}

/** Undefined where no receiver is set: then nothing of OpenTelemetry is even loaded. */
export async function openTracing(
  settings: TracingSettings | undefined,
  { log, version }: { log: Logger; version: string },
): Promise<Tracing | undefined> {
  if (settings === undefined) return undefined;
  const { OtlpTracing } = await import('./tracing/otlp-tracing.ts');
  return new OtlpTracing(settings, log, version);
}
