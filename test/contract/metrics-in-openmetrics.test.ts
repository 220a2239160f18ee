import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startTestGateway, type TestDevice, type TestGateway } from '../support/gateway.ts';
import { fetchChat } from '../support/streams.ts';

/** As Prometheus sends it. */
const ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

describe('metrics for a scraper that asks for OpenMetrics', () => {
  let gateway: TestGateway;
  let device: TestDevice;
  before(async () => {
    gateway = await startTestGateway({ counters: 'memory' });
    device = await gateway.device();
  });
  after(() => gateway.close());

  const scrape = async (accept?: string): Promise<{ type: string; text: string }> => {
    const answer = await fetch(
      `${gateway.internalUrl}/metrics`,
      accept === undefined ? {} : { headers: { accept } },
    );
    return { type: answer.headers.get('content-type') ?? '', text: await answer.text() };
  };
  const chat = async (): Promise<string> => {
    const answer = await fetchChat(gateway, device, {});
    await answer.text();
    return answer.headers.get('x-licensify-request-id') ?? '';
  };

  it('the buckets carry the id of a request as exemplar, from the first such scrape on', async () => {
    await chat();
    const first = await scrape(ACCEPT);
    assert.match(first.type, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.ok(first.text.endsWith('\n# EOF\n'));
    assert.doesNotMatch(first.text, /request_id/);
    const id = await chat();
    await eventually(async () => {
      const { text } = await scrape(ACCEPT);
      const exemplar = ` # {request_id="${id}"} `;
      for (const name of ['request_duration', 'time_to_first_byte', 'overhead']) {
        const buckets = text
          .split('\n')
          .filter((line) => line.startsWith(`licensify_${name}_seconds_bucket`));
        assert.ok(
          buckets.some((line) => line.includes(exemplar)),
          name,
        );
      }
    }, 2_000);
  });

  it('counters are families without their suffix, and their samples have it', async () => {
    const { text } = await scrape(ACCEPT);
    assert.match(text, /^# TYPE licensify_requests counter$/m);
    assert.match(text, /^licensify_requests_total\{/m);
    assert.match(text, /^process_cpu_seconds_total /m);
    assert.doesNotMatch(text, /_total_total/);
  });

  it('plain text is what it was before, without exemplars', async () => {
    const { type, text } = await scrape();
    assert.match(type, /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^# TYPE licensify_requests_total counter$/m);
    assert.match(text, /^licensify_requests_total\{/m);
    assert.doesNotMatch(text, /request_id|# EOF/);
  });
});
