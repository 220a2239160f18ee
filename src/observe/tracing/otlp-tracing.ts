import { ROOT_CONTEXT, trace, type Context, type Tracer } from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../log.ts';
import type { RequestTrace, Tracing, TracingSettings } from '../tracing.ts';
import { Trouble } from '../trouble.ts';
import { OtlpSender } from './otlp-sender.ts';
import { RequestSpans } from './request-spans.ts';
import { SpanQueue, type QueueBounds } from './span-queue.ts';

/** A receiver that is away costs the memory of so many spans, about 1 KB each, and nobody's time. */
const BOUNDS: QueueBounds = { spans: 4_096, batch: 512, every: 1_000, within: 5_000, closeWithin: 2_000 };

/** Sends spans to an OTLP/HTTP receiver, in the background. */
export class OtlpTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor(settings: TracingSettings, log: Logger, version: string, bounds = BOUNDS) {
    const queue = new SpanQueue({
      sender: new OtlpSender(settings, bounds.within),
      bounds,
      // The SDK tells nobody that spans are lost.
      report: new Trouble(log, 'spans cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT'),
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': settings.serviceName,
        'service.version': version,
      }),
      sampler: samplerOf(settings),
      spanProcessors: [queue],
    });
    this.#tracer = this.#provider.getTracer('licensify', version);
  }

  begin(traceparent: string | string[] | undefined, startedAt: number): RequestTrace {
    return new RequestSpans(this.#tracer, parentOf(traceparent), startedAt);
  }

  async close(): Promise<void> {
    await this.#provider.shutdown().catch(() => undefined);
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
