import http from 'node:http';
import https from 'node:https';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { TracingSettings } from '../tracing.ts';
import type { SpanSender } from './span-queue.ts';

/** The batch that is being sent, and one that was just broken off. */
const MOST_AT_ONCE = 2;

/** Sends spans over OTLP/HTTP, as JSON, and tries again where that may help. */
export class OtlpSender implements SpanSender {
  readonly #agent: http.Agent;
  readonly #exporter: OTLPTraceExporter;

  /** @param withinMs how long that may take */
  constructor({ endpoint, headers }: Pick<TracingSettings, 'endpoint' | 'headers'>, withinMs: number) {
    const agent = endpoint.startsWith('https:')
      ? new https.Agent({ keepAlive: true })
      : new http.Agent({ keepAlive: true });
    this.#agent = agent;
    this.#exporter = new OTLPTraceExporter({
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      headers: { ...headers },
      timeoutMillis: withinMs,
      concurrencyLimit: MOST_AT_ONCE,
      httpAgentOptions: () => agent,
    });
  }

  send(spans: ReadableSpan[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#exporter.export(spans, ({ code, error }) => {
        if (code === ExportResultCode.SUCCESS) resolve();
        else reject(error ?? new Error('the receiver refused them'));
      });
    });
  }

  /**
   * The exporter's own time limit is one of silence, and begins with the connection: one that is never made, or on which
   * a byte comes now and then, would stay for ever.
   */
  abort(): void {
    this.#agent.destroy();
  }
}
