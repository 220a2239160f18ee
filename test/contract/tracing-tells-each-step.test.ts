import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts';
import { CHAT_PATH } from '../support/streams.ts';

const SERVER = 2;
const CLIENT = 3;
const ERROR = 2;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const HEADER = 'otlp-header-secret-0123456789';

function assertWithin(span: ReceivedSpan, outer: ReceivedSpan): void {
  assert.ok(BigInt(span.startTimeUnixNano) >= BigInt(outer.startTimeUnixNano), span.name);
  assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(outer.endTimeUnixNano), span.name);
}

describe('a gateway that sends spans', () => {
  let receiver: OtlpReceiver;
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    rememberSecret(HEADER);
    receiver = await startOtlpReceiver();
    gateway = await startTestGateway({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_HEADERS: `x-team=${HEADER}`,
        OTEL_SERVICE_NAME: 'keys',
      },
    });
    device = await gateway.device({ daily_limit: 4 });
  });
  after(async () => {
    await gateway.close();
    await receiver.close();
  });

  const call = async (
    headers: Record<string, string> = {},
  ): Promise<{ id: string; sent: Record<string, unknown> }> => {
    const before = gateway.simulator.requests.length;
    const answer = await gateway.request(CHAT_PATH, {
      headers: { authorization: `Bearer ${device.proxyKey}`, ...headers },
      body: { model: 'gpt-4o', messages: [] },
    });
    return {
      id: answer.headers.get('x-licensify-request-id') ?? '',
      sent: gateway.simulator.requests[before]?.headers ?? {},
    };
  };
  const traceOf = (id: string): Promise<{ server: ReceivedSpan; below: ReceivedSpan[] }> =>
    eventually(() => {
      const server = receiver.spans.find(({ attributes }) => attributes['licensify.request_id'] === id);
      assert.ok(server !== undefined, `no span of ${id}`);
      const below = receiver.spans.filter(({ parentSpanId }) => parentSpanId === server.spanId);
      return { server, below };
    }, 15_000);

  it("is below the client's span, and the provider is below ours", async () => {
    const { id, sent } = await call({ traceparent: PARENT, tracestate: 'vendor=1' });
    const { server, below } = await traceOf(id);
    assert.deepEqual([server.traceId, server.parentSpanId, server.kind], [TRACE, '00f067aa0ba902b7', SERVER]);
    assert.deepEqual(
      below.map(({ name }) => name),
      ['authenticate', 'admit', 'chat gpt-4o'],
    );
    assert.equal(sent.traceparent, `00-${TRACE}-${below[2]?.spanId}-01`);
    assert.equal(sent.tracestate, 'vendor=1');
    for (const span of below) assertWithin(span, server);
    await eventually(() => {
      const line = gateway.logLines().find(({ requestId }) => requestId === id);
      assert.equal(line?.trace_id, TRACE);
    }, 1_000);
    assert.deepEqual(receiver.resources[0]?.['service.name'], 'keys');
  });

  it('carries the attributes of the conventions', async () => {
    const { id } = await call();
    const { server, below } = await traceOf(id);
    const { port, hostname } = new URL(gateway.simulator.url);
    assert.equal(server.name, 'POST /proxy/openai');
    assert.deepEqual(server.attributes, {
      'http.request.method': 'POST',
      'url.path': CHAT_PATH,
      'licensify.request_id': id,
      'licensify.outcome': 'ok',
      'licensify.license': device.licenseId,
      'licensify.tier': 'pro',
      'http.response.status_code': 200,
    });
    const upstream = below.find(({ kind }) => kind === CLIENT);
    assert.deepEqual(upstream?.attributes, {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.system': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'server.address': hostname,
      'server.port': Number(port),
      'http.request.method': 'POST',
      'http.response.status_code': 200,
    });
  });

  it("marks a provider's error in both spans", async () => {
    const { id } = await call({ 'x-simulate': 'status=503' });
    const { server, below } = await traceOf(id);
    const upstream = below.find(({ kind }) => kind === CLIENT);
    for (const span of [server, upstream]) {
      assert.equal(span?.status.code, ERROR);
      assert.equal(span.attributes['error.type'], '503');
    }
  });

  it('a traceparent that is none begins a new trace, and reaches no provider', async () => {
    for (const traceparent of [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 'x'.repeat(10_000)]) {
      const { id, sent } = await call({ traceparent, tracestate: 'vendor=1' });
      const { server } = await traceOf(id);
      assert.ok(!server.parentSpanId);
      assert.match(String(sent.traceparent), new RegExp(`^00-${server.traceId}-[0-9a-f]{16}-01$`));
      assert.equal(sent.tracestate, undefined);
    }
  });

  it('a refused request has no span of a provider, and is no error', async () => {
    const { id } = await call();
    const { server, below } = await traceOf(id);
    assert.equal(server.attributes['licensify.outcome'], 'rate_limit_exceeded');
    assert.deepEqual(
      below.map(({ name }) => name),
      ['authenticate', 'admit'],
    );
    assert.equal(below[1]?.attributes['licensify.decision'], 'refused');
    assert.notEqual(server.status.code, ERROR);
  });

  it('no span holds a key, but the receiver gets its header', () => {
    const text = receiver.received.join('\n');
    assert.ok(text.includes(HEADER));
    for (const key of [device.proxyKey, device.licenseKey, gateway.adminToken, gateway.env.OPENAI_API_KEY])
      assert.ok(!text.includes(key ?? '?'));
  });
});
