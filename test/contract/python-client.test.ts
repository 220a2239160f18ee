import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { FakeClock } from '../support/fake-clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { rememberSecret } from '../support/output.ts';
import { requirePython } from '../support/python.ts';
import { assertUsage } from '../support/recorded-usage.ts';
import { runProgram } from '../support/run-program.ts';
import { assertOnlyRealKeysIn } from '../support/sdk-stage.ts';

const driver = join(import.meta.dirname, '../support/proxy-mode-driver.py');

interface Call {
  messages: { role: string; content: string }[];
  model?: string;
}

/** What the driver prints. */
interface Report {
  activation: Record<string, unknown>;
  proxy_key: string;
  answers: Record<string, unknown>[];
}

describe('the Python client, exactly as proxy-mode.md prints it', () => {
  let gateway: TestGateway;
  before(async () => {
    const clock = new FakeClock('2026-11-22T12:00:00Z');
    gateway = await startTestGateway({ clock, counters: 'memory' });
  });
  after(() => gateway.close());

  /** Activates and calls through the printed class; undefined where there is no Python to run it, which is then said. */
  async function drive(t: TestContext, licenseKey: string, calls: Call[]): Promise<Report | undefined> {
    const python = await requirePython(t);
    if (python === undefined) return undefined;
    const task = { server_url: gateway.url, license_key: licenseKey, hardware_id: 'hw-python', calls };
    const { code, stdout, stderr } = await runProgram(python, [driver], { input: JSON.stringify(task) });
    assert.equal(code, 0, stderr.trim().split('\n').at(-1) ?? 'it failed');
    const report = JSON.parse(stdout) as Report;
    rememberSecret(report.proxy_key);
    return report;
  }

  it('activates, decrypts its proxy key and gets its answers', async (t) => {
    const { id, licenseKey } = await gateway.createLicense({ name: 'Zoë' });
    const report = await drive(t, licenseKey, [
      { messages: [{ role: 'user', content: 'Hello!' }] },
      { messages: [{ role: 'user', content: 'Grüß "Gott" \\ 🌍' }], model: 'gpt-4o-mini' },
    ]);
    if (report === undefined) return;

    const { activation, proxy_key: proxyKey, answers } = report;
    assert.deepEqual(Object.keys(activation), [
      'success',
      'encrypted_api_key',
      'iv',
      'tier',
      'customer_name',
      'expires_at',
      'limits',
    ]);
    assert.equal(activation.success, true);
    assert.equal(activation.customer_name, 'Zoë');
    assert.equal(/^px_[0-9A-Za-z]{40}$/.test(proxyKey), true, 'what was decrypted is no proxy key');

    const contents = answers.map((answer) => {
      const [choice] = answer.choices as [{ message: { content: string } }];
      return choice.message.content;
    });
    assert.deepEqual(contents, ['You said: Hello!', 'You said: Grüß "Gott" \\ 🌍']);

    const { requests } = gateway.simulator;
    assertOnlyRealKeysIn(requests);
    // Python's own spacing and escapes: nothing has parsed the body on its way.
    assert.deepEqual(
      requests.map(({ body }) => body.toString('latin1')),
      [
        '{"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}]}',
        String.raw`{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Gr\u00fc\u00df \"Gott\" \\ \ud83c\udf0d"}]}`,
      ],
    );
    const row = { day: '2026-11-22', provider: 'openai', requests: 1, refunded: 0 };
    await assertUsage(gateway, id, [
      { ...row, model: 'gpt-3.5-turbo' },
      { ...row, model: 'gpt-4o-mini' },
    ]);
  });

  it('is told in the words of proxy-mode.md that its limit is reached', async (t) => {
    const { licenseKey } = await gateway.createLicense({ daily_limit: 1 });
    const call = { messages: [{ role: 'user', content: 'Hello!' }] };
    const report = await drive(t, licenseKey, [call, call]);
    if (report === undefined) return;
    assert.deepEqual(report.answers[1], {
      error: {
        message: 'Daily limit of 1 requests exceeded. Current usage: 1',
        type: 'rate_limit_exceeded',
        code: 'rate_limit_exceeded',
      },
    });
  });
});
