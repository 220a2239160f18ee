import { z } from 'zod';
import { samplers, type TracingSettings } from './observe/tracing.ts';

/** OpenTelemetry's own variables, as far as they are settings here. */
export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), { abort: true })
    .optional()
    .describe('the base URL of an OTLP/HTTP receiver, such as http://collector:4318'),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .transform((list, context) => {
      const headers = parseHeaders(list);
      if (headers === undefined) context.addIssue({ code: 'custom' });
      return headers ?? {};
    })
    .optional()
    .describe('headers for the receiver: name=value, separated by commas, values percent-encoded'),
  OTEL_SERVICE_NAME: z.string().default('licensify').describe('what the spans are filed under'),
  OTEL_TRACES_SAMPLER: z
    .enum(samplers)
    .default('parentbased_always_on')
    .describe(`one of ${samplers.join(', ')}`),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(?:0|1|0?\.\d+|1\.0+|0\.\d+)$/)
    .transform(Number)
    .default(1)
    .describe('the share of traces that the samplers with a ratio take, from 0 to 1'),
};

/** As the OTLP exporter's specification writes them (W3C Baggage, without its properties). */
function parseHeaders(list: string): Record<string, string> | undefined {
  const pairs = list
    .split(',')
    .map((item) => /^\s*([!#$%&'*+.^`|~\w-]+)\s*=\s*([\x21-\x7e]*)\s*$/.exec(item));
  try {
    const read = pairs.map((pair) => pair && [pair[1] ?? '', decodeURIComponent(pair[2] ?? '')]);
    return read.every((pair) => pair !== null)
      ? (Object.fromEntries(read) as Record<string, string>)
      : undefined;
  } catch {
    return undefined;
  }
}

interface Values {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS?: Record<string, string> | undefined;
  OTEL_SERVICE_NAME: string;
  OTEL_TRACES_SAMPLER: TracingSettings['sampler'];
  OTEL_TRACES_SAMPLER_ARG: number;
}

/** Undefined where spans are to go nowhere. */
export function tracingFrom(values: Values): TracingSettings | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers = {} } = values;
  if (endpoint === undefined) return undefined;
  return {
    endpoint,
    headers,
    serviceName: values.OTEL_SERVICE_NAME,
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
  };
}
