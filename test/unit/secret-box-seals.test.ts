import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { masterKeyId, SecretBox, SecretUnreadable } from '../../src/stores/secret-box.ts';

const [old, current, stranger] = [randomBytes(32), randomBytes(32), randomBytes(32)];

function unreadable(because: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SecretUnreadable && because.test(error.message);
}

it('what is sealed is read again, and looks different each time', () => {
  const box = new SecretBox([current]);
  for (const secret of ['sk-a-key', '', 'ключ 🔑', 'x'.repeat(10_000)]) {
    const [one, other] = [box.seal(secret, 'provider:openai'), box.seal(secret, 'provider:openai')];
    assert.equal(box.open(one, 'provider:openai'), secret);
    assert.equal(box.open(other, 'provider:openai'), secret);
    assert.notDeepEqual(one, other);
    assert.notDeepEqual(one.subarray(5, 17), other.subarray(5, 17), 'the nonce is a fresh one');
    if (secret !== '') assert.equal(one.includes(secret), false);
  }
});

it('each byte that was changed is noticed, and so is a secret that was put elsewhere', () => {
  const box = new SecretBox([current]);
  const sealed = box.seal('sk-a-key', 'provider:openai');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => box.open(changed, 'provider:openai'), SecretUnreadable, `byte ${at}`);
  }
  for (let length = 0; length < sealed.length; length += 1) {
    assert.throws(() => box.open(sealed.subarray(0, length), 'provider:openai'), SecretUnreadable);
  }
  assert.throws(() => box.open(sealed, 'provider:anthropic'), unreadable(/was changed where it is stored/));
});

it('the first master key encrypts, each decrypts, and one that is missing is named', () => {
  const before = new SecretBox([old]);
  const both = new SecretBox([current, old]);
  const after = new SecretBox([current]);
  const sealed = before.seal('sk-a-key', 'provider:openai');
  assert.equal(both.open(sealed, 'provider:openai'), 'sk-a-key');
  assert.equal(both.isCurrent(sealed), false);
  const again = both.seal('sk-a-key', 'provider:openai');
  assert.equal(both.isCurrent(again), true);
  assert.equal(after.open(again, 'provider:openai'), 'sk-a-key');
  assert.throws(() => after.open(sealed, 'provider:openai'), unreadable(new RegExp(masterKeyId(old))));
  const wrong = new SecretBox([stranger]);
  assert.throws(
    () => wrong.open(again, 'provider:openai'),
    unreadable(/add that key behind the present one/),
  );
});

it('a master key of another length is refused, and no key at all', () => {
  for (const keys of [[], [randomBytes(31)], [current, randomBytes(16)]]) {
    assert.throws(() => new SecretBox(keys), RangeError);
  }
});
