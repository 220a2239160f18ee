import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AddressPolicy } from '../../src/webhooks/address-policy.ts';
import { send, type Attempt } from '../../src/webhooks/send.ts';
import { startReceiver, type Receiver } from '../support/webhook-receiver.ts';

let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
});
after(() => receiver.close());

function post(url: string, policy: AddressPolicy, limitMs?: number): Promise<Attempt> {
  const { signal } = new AbortController();
  return send(url, { headers: {}, body: '{}', policy, signal, ...(limitMs !== undefined && { limitMs }) });
}

/** A name that leads somewhere else each time that it is looked up. */
function rebinding(...answers: string[]): AddressPolicy {
  return new AddressPolicy([], () =>
    Promise.resolve([{ address: answers.shift() ?? '127.0.0.1', family: 4 }]),
  );
}

describe('a webhook reaches nothing on this machine', () => {
  it('by a name that led to a public address when it was checked', async () => {
    const policy = rebinding('93.184.215.14');
    const url = `https://rebinding.example:${receiver.port}/`;
    await policy.check(url);
    const attempt = await post(url, policy);
    assert.match(attempt.error ?? '', /^Not allowed: .*127\.0\.0\.1, which is not public/);
    assert.deepEqual(receiver.received, []);
  });

  it('by a name that is looked up once for the check and once more for the connection', async () => {
    let asked = 0;
    const policy = new AddressPolicy([], () => {
      asked += 1;
      return Promise.resolve([{ address: asked === 1 ? '192.0.2.0' : '127.0.0.1', family: 4 }]);
    });
    await post(`https://rebinding.example:${receiver.port}/`, policy);
    assert.equal(asked, 1, 'the connection goes to the addresses that were checked');
    assert.deepEqual(receiver.received, []);
  });

  it('by an address, which node looks up nowhere', async () => {
    for (const host of ['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]']) {
      const attempt = await post(`https://${host}:${receiver.port}/`, new AddressPolicy([]));
      assert.match(attempt.error ?? '', /^Not allowed/);
    }
    assert.deepEqual(receiver.received, []);
  });

  it('by a redirect from a server that is allowed', async () => {
    const front = await startReceiver();
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        front.answer = (res) => void res.writeHead(status, { location: receiver.url }).end('moved');
        const attempt = await post(front.url, new AddressPolicy(['127.0.0.1']));
        assert.deepEqual([attempt.delivered, attempt.status], [false, status]);
        assert.match(attempt.error ?? '', /redirect/);
      }
      assert.equal(front.received.length, 5);
      assert.deepEqual(receiver.received, []);
    } finally {
      await front.close();
    }
  });
});

describe('a receiver cannot hold or fill a gateway', () => {
  const listed = new AddressPolicy(['127.0.0.1']);

  it('with an answer that does not come', async () => {
    receiver.answer = undefined;
    const start = performance.now();
    const attempt = await post(receiver.url, listed, 300);
    assert.equal(attempt.delivered, false);
    assert.match(attempt.error ?? '', /No answer/);
    assert.ok(performance.now() - start < 3_000);
  });

  it('with an answer that does not end: the status counts when the time is over', async () => {
    receiver.answer = (res) => void res.writeHead(200).write('x');
    assert.deepEqual(await post(receiver.url, listed, 300), { delivered: true, status: 200 });
  });

  it('with an answer that is endless: 4 KiB are read and 500 characters kept, none of them a control character', async () => {
    let written = 0;
    receiver.answer = (res) => {
      res.writeHead(500);
      const pour = (): void => {
        while (!res.destroyed && res.write('\u001b[31m'.repeat(1_000))) written += 5_000;
        if (!res.destroyed) res.once('drain', pour);
      };
      pour();
    };
    const attempt = await post(receiver.url, listed, 5_000);
    assert.equal(attempt.status, 500);
    assert.equal(attempt.excerpt?.length, 500);
    assert.ok(!attempt.excerpt.includes('\u001b'));
    assert.ok(written < 50_000_000);
  });

  it('with a header that is endless, or none at all', async () => {
    receiver.answer = (res) => void res.socket?.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`);
    const attempt = await post(receiver.url, listed, 5_000);
    assert.equal(attempt.delivered, false);
    receiver.answer = (res) => void res.socket?.end('not http at all\r\n\r\n');
    assert.equal((await post(receiver.url, listed, 5_000)).delivered, false);
  });
});
