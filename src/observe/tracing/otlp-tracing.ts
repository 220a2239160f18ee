import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT_CONTEXT, trace, type Context, type Tracer } from '@opentelemetry/api';
import { ExportResultCode, parseTraceParent, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../log.ts';
import type { RequestTrace, Tracing, TracingSettings } from '../tracing.ts';
import { Trouble } from '../trouble.ts';
import { RequestSpans } from './request-spans.ts';

/** More spans than these are dropped: a receiver that is away costs this much memory, and nobody's time. */
const MOST_QUEUED = 4_096;
const A_BATCH = 512;
/** Milliseconds. */
const EXPORT_EVERY = 2_000;
const EXPORT_WITHIN = 5_000;
const CLOSE_WITHIN = 2_000;

/** Sends spans to an OTLP/HTTP receiver, in the background. */
export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor(settings: TracingSettings, log: Logger, version: string) {
    const exporter = new OTLPTraceExporter({
      url: `${settings.endpoint.replace(/\/$/, '')}/v1/traces`,
      headers: { ...settings.headers },
      timeoutMillis: EXPORT_WITHIN,
    });
    const processor = new BatchSpanProcessor({
      exporter: reporting(exporter, log),
      maxQueueSize: MOST_QUEUED,
      maxExportBatchSize: A_BATCH,
      scheduledDelayMillis: EXPORT_EVERY,
      exportTimeoutMillis: EXPORT_WITHIN,
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': settings.serviceName,
        'service.version': version,
      }),
      sampler: samplerOf(settings),
      spanProcessors: [processor],
    });
    this.#tracer = this.#provider.getTracer('licensify', version);
  }

  begin(traceparent: string | string[] | undefined, startedAt: number): RequestTrace {
    return new RequestSpans(this.#tracer, parentOf(traceparent), startedAt);
  }

  async close(): Promise<void> {
    const timer = new AbortController();
    const late = sleep(CLOSE_WITHIN, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
    timer.abort();
  }
}

/** What is no traceparent by W3C Trace Context begins a new trace. */
function parentOf(traceparent: string | string[] | undefined): Context {
  const parent = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null;
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

function samplerOf({ sampler, ratio }: TracingSettings): Sampler {
  const isParentBased = sampler.startsWith('parentbased_');
  const root = rootSampler(sampler.replace('parentbased_', ''), ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(name: string, ratio: number): Sampler {
  if (name === 'traceidratio') return new TraceIdRatioBasedSampler(ratio);
  return name === 'always_off' ? new AlwaysOffSampler() : new AlwaysOnSampler();
}

/** The SDK tells nobody that spans are lost. */
function reporting(exporter: SpanExporter, log: Logger): SpanExporter {
  const trouble = new Trouble(log, 'spans cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT');
  return {
    export(spans: ReadableSpan[], done: (result: ExportResult) => void) {
      exporter.export(spans, (result) => {
        if (result.code === ExportResultCode.SUCCESS) trouble.succeeded();
        else trouble.failed(result.error ?? new Error('the receiver refused them'));
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
