import {
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { takeFrom, type HeaderList } from '../../header-list.ts';
import type { EndedTrace, RequestTrace, UpstreamCall } from '../tracing.ts';

const ignore = (): void => undefined;

/** All times by one clock: the SDK would take two, and a step could end after its request. */
const now = (): number => performance.timeOrigin + performance.now();

/** Longer names than this are no model's. */
const MODEL_LENGTH = 100;

/**
 * The spans of a request: the server's, a step for each store that is asked, and the client's towards the provider.
 * Attributes are those of OpenTelemetry's semantic conventions for HTTP and for generative AI (1.37).
 */
export class RequestSpans implements RequestTrace {
  readonly traceId: string;
  readonly #tracer: Tracer;
  readonly #server: Span;
  readonly #context: Context;
  #upstream: Span | undefined;

  constructor(tracer: Tracer, parent: Context, startedAt: number) {
    this.#tracer = tracer;
    const options = { kind: SpanKind.SERVER, startTime: performance.timeOrigin + startedAt };
    this.#server = tracer.startSpan('HTTP', options, parent);
    this.#context = trace.setSpan(parent, this.#server);
    this.traceId = this.#server.spanContext().traceId;
  }

  step(name: 'authenticate' | 'admit'): (attributes?: Attributes) => void {
    if (!this.#server.isRecording()) return ignore;
    const span = this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime: now() }, this.#context);
    return (attributes) => {
      if (attributes !== undefined) span.setAttributes(attributes);
      span.end(now());
    };
  }

  upstream(call: UpstreamCall, headers: HeaderList): void {
    const { method, provider, base } = call;
    const operation = operationOf(call.path);
    const model = call.model.slice(0, MODEL_LENGTH);
    this.#upstream = this.#tracer.startSpan(
      model === '' ? operation : `${operation} ${model}`,
      {
        kind: SpanKind.CLIENT,
        startTime: now(),
        attributes: {
          'gen_ai.operation.name': operation,
          'gen_ai.provider.name': provider,
          // The name before 1.37, which many receivers still read.
          'gen_ai.system': provider,
          ...(model !== '' && { 'gen_ai.request.model': model }),
          'server.address': base.hostname,
          'server.port': Number(base.port) || (base.protocol === 'https:' ? 443 : 80),
          'http.request.method': method,
        },
      },
      this.#context,
    );
    const { traceId, spanId, traceFlags } = this.#upstream.spanContext();
    const flags = traceFlags.toString(16).padStart(2, '0');
    // Whoever sent no valid traceparent has no trace that its tracestate would belong to.
    if (takeFrom(headers, 'traceparent')?.includes(traceId) !== true) takeFrom(headers, 'tracestate');
    headers.push('traceparent', `00-${traceId}-${spanId}-${flags}`);
  }

  end(ended: EndedTrace, status: number | undefined): void {
    this.#endUpstream(ended, status);
    const server = this.#server;
    const { requestId, method, provider, failed, outcome } = ended;
    server.updateName(`${method} ${provider === undefined ? ended.path : `/proxy/${provider}`}`);
    server.setAttributes({
      'http.request.method': method,
      'url.path': provider === undefined ? ended.path : `/proxy/${provider}${ended.path}`,
      'licensify.request_id': requestId,
      'licensify.outcome': outcome,
      ...(ended.license !== undefined && { 'licensify.license': ended.license }),
      ...(ended.tier !== undefined && { 'licensify.tier': ended.tier }),
      ...(ended.status !== undefined && { 'http.response.status_code': ended.status }),
      ...(failed && { 'error.type': outcome === 'ok' ? String(ended.status) : outcome }),
    });
    if (failed) server.setStatus({ code: SpanStatusCode.ERROR });
    server.end(now());
  }

  #endUpstream({ outcome, failed }: EndedTrace, status: number | undefined): void {
    const span = this.#upstream;
    if (span === undefined) return;
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    // Of a client's span any status from 400 on is an error.
    const isError = failed || (status !== undefined && status >= 400);
    if (isError) {
      span.setAttribute('error.type', status !== undefined && status >= 400 ? String(status) : outcome);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(now());
  }
}

const operations: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/(?:chat\/completions|messages|responses)$/, 'chat'],
  [/^\/v1\/(?:completions|complete)$/, 'text_completion'],
  [/^\/v1\/embeddings$/, 'embeddings'],
  [/^\/v1\/(?:images|audio)\//, 'generate_content'],
];

/** As the conventions name it, or the path's first segment where they have no name. */
function operationOf(path: string): string {
  return operations.find(([pattern]) => pattern.test(path))?.[1] ?? path.split('/')[2] ?? 'request';
}
