/** The trace that a `traceparent` names (W3C Trace Context, version 00); undefined where it names none. */
export function traceIdIn(traceparent: string | string[] | undefined): string | undefined {
  if (typeof traceparent !== 'string' || traceparent.length !== 55) return undefined;
  const [, traceId] = /^00-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/.exec(traceparent) ?? [];
  return traceId === '0'.repeat(32) ? undefined : traceId;
}
