import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { spawnLicensify, temporaryFolder } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startTestGateway } from '../support/gateway.ts';
import { CHAT_PATH, nextRequest } from '../support/streams.ts';

/** Prints every file that the process loads. */
const PRINT_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load: (url, context, next) => (process.stderr.write('loaded ' + url + '\\n'), next(url, context)) });
`)}`;

async function loadedBy(env: Record<string, string>): Promise<{ all: number; opentelemetry: number }> {
  using folder = temporaryFolder();
  const gateway = spawnLicensify(['serve'], {
    cwd: folder.path,
    nodeOptions: ['--import', PRINT_LOADED],
    env: { PORT: '0', INTERNAL_PORT: '0', DATA_DIR: folder.path, ...env },
  });
  await gateway.waitFor(/"msg":"listening"/);
  await gateway.stop();
  const loaded = gateway.output().match(/^loaded .*$/gm) ?? [];
  // prom-client loads OpenTelemetry's API, which makes nothing and sends nothing.
  const opentelemetry = loaded.filter((line) => /@opentelemetry\/(?!api\/)/.test(line)).length;
  return { all: loaded.length, opentelemetry };
}

it('nothing of OpenTelemetry that makes or sends spans is loaded unless there is somewhere to send spans', async () => {
  const off = await loadedBy({});
  assert.ok(off.all > 100);
  assert.equal(off.opentelemetry, 0);
  const on = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  assert.ok(on.opentelemetry > 10, 'the pattern finds what is loaded with it');
});

it('without spans traceparent and tracestate reach the provider as they are, garbage too', async (t) => {
  const gateway = await startTestGateway({ counters: 'memory' });
  t.after(() => gateway.close());
  const device = await gateway.device();
  const trace = randomBytes(16).toString('hex');
  for (const traceparent of [`00-${trace}-00f067aa0ba902b7-01`, '00-zz-zz-zz', 'x'.repeat(10_000)]) {
    const upstream = nextRequest(gateway.simulator);
    const answer = await gateway.request(CHAT_PATH, {
      headers: { authorization: `Bearer ${device.proxyKey}`, traceparent, tracestate: 'vendor=1' },
      body: { model: 'gpt-4o', messages: [] },
    });
    assert.equal(answer.status, 200);
    const { headers } = await upstream;
    assert.deepEqual([headers.traceparent, headers.tracestate], [traceparent, 'vendor=1']);
    const id = answer.headers.get('x-licensify-request-id');
    await eventually(() => {
      const line = gateway.logLines().find(({ requestId }) => requestId === id);
      assert.equal(line?.trace_id, traceparent.includes(trace) ? trace : undefined);
      assert.notEqual(line, undefined);
    }, 1_000);
  }
});
