import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requirePython } from '../support/python.ts';

/** Neither runs the client: one is no program, the other no Python with its modules. */
const candidates = ['no-such-python', 'false'];

describe('where no Python can run the client', () => {
  it('a run in CI fails, and says what to install', async (t) => {
    await assert.rejects(
      requirePython(t, { env: { CI: 'true' }, candidates }),
      /apt-get install -y python3-requests python3-cryptography.*no-such-python.*false/,
    );
  });

  it('any other run says that the client is not tested', async () => {
    const said: string[] = [];
    const diagnostic = (message: string) => said.push(message);
    assert.equal(await requirePython({ diagnostic }, { env: {}, candidates }), undefined);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? '', /^NOT TESTED: the Python client.*apt-get install/);
  });
});
