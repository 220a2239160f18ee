import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressPolicy, ForbiddenTarget, isPublic } from '../../src/webhooks/address-policy.ts';

/** Addresses by the host that leads to them. */
const names: Record<string, string[]> = {
  'public.example': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'metadata.example': ['169.254.169.254'],
  'home.example': ['127.0.0.1'],
  'six.example': ['::1'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'mixed.example': ['93.184.215.14', '10.0.0.1'],
  'unique-local.example': ['fd00::1'],
  localhost: ['127.0.0.1'],
  'localhost.': ['127.0.0.1'],
};

function policy(...allowed: string[]): AddressPolicy {
  return new AddressPolicy(allowed, (hostname) => {
    const found = names[hostname];
    if (found === undefined) return Promise.reject(new Error('ENOTFOUND'));
    return Promise.resolve(found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  });
}

const nasty = [
  // Loopback, in every way that it can be written.
  ...[
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
  ],
  ...['https://0x7f.1/', 'https://127.0.0.1./', 'https://127.255.255.254:8443/', 'https://①②⑦.0.0.1/'],
  ...['https://localhost/', 'https://LOCALHOST/', 'https://localhost./', 'https://%6cocalhost/'],
  ...['https://[::1]/', 'https://[::]/', 'https://0/', 'https://0.0.0.0/', 'https://0.1.2.3/'],
  // IPv6 that holds an IPv4 address: mapped, compatible, translated, NAT64, 6to4, Teredo.
  ...[
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[::ffff:0:7f00:1]/',
  ],
  ...['https://[64:ff9b::7f00:1]/', 'https://[64:ff9b:1::a00:1]/', 'https://[2002:7f00:1::]/'],
  'https://[2001:0:7f00:1::]/',
  // Private, shared, link-local (where clouds keep credentials), multicast, reserved, documentation.
  ...['https://10.1.2.3/', 'https://172.16.0.1/', 'https://172.31.255.255/', 'https://192.168.1.1/'],
  ...['https://100.64.0.1/', 'https://169.254.169.254/latest/meta-data/', 'https://0xa9fea9fe/'],
  ...['https://224.0.0.1/', 'https://255.255.255.255/', 'https://240.0.0.1/', 'https://198.18.0.1/'],
  ...['https://192.0.2.1/', 'https://192.0.0.1/', 'https://198.51.100.1/', 'https://203.0.113.1/'],
  ...['https://[fe80::1]/', 'https://[fc00::1]/', 'https://[fd12:3456::1]/', 'https://[ff02::1]/'],
  ...['https://[fec0::1]/', 'https://[100::1]/', 'https://[2001:db8::1]/', 'https://[5f00::1]/'],
  // Names that lead there.
  ...[
    'https://metadata.example/',
    'https://home.example/',
    'https://six.example/',
    'https://mapped.example/',
  ],
  ...['https://mixed.example/', 'https://unique-local.example/', 'https://unknown.example/'],
  // What is no plain https URL.
  ...['http://public.example/', 'ftp://public.example/', 'file:///etc/passwd', 'gopher://public.example/'],
  ...['javascript:alert(1)', 'data:text/plain,x', '//public.example/', 'public.example', '', 'https://'],
  ...['https://user@public.example/', 'https://user:secret@public.example/', 'https://:x@public.example/'],
  ...['https://public.example/#fragment', `https://public.example/${'x'.repeat(2_000)}`],
  ...['https://public.example:99999/', 'https://public.example@127.0.0.1/', 'https://[::1%25eth0]/'],
];

describe('where a webhook may go', () => {
  for (const url of nasty) {
    it(`not to ${url.slice(0, 60)}`, async () => {
      await assert.rejects(policy().check(url), ForbiddenTarget);
    });
  }

  it('to public hosts and addresses, on any port', async () => {
    for (const url of [
      'https://public.example/hook?x=1',
      'https://public.example:8443/',
      'https://93.184.215.14/',
      'https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/',
    ])
      assert.equal((await policy().check(url)).href, url);
  });

  it('to a listed host over http and at a private address, and to no other for that', async () => {
    const listed = policy('home.example', '10.0.0.7', '[::1]');
    for (const url of [
      'http://home.example:3000/',
      'https://home.example/',
      'http://10.0.0.7/',
      'http://[::1]:3000/',
    ])
      await listed.check(url);
    for (const url of [
      'http://metadata.example/',
      'https://10.0.0.8/',
      'http://public.example/',
      'https://127.0.0.1/',
    ])
      await assert.rejects(listed.check(url), ForbiddenTarget);
  });

  it('says in one sentence what is wrong and what can be done', async () => {
    await assert.rejects(policy().check('https://metadata.example/'), {
      message:
        'names the host metadata.example, which leads to the address 169.254.169.254, which is not public ' +
        '(WEBHOOK_ALLOWED_HOSTS can allow the host)',
    });
  });

  it('no address is taken for public that is none at all', () => {
    for (const text of ['', 'public.example', '::ffff:1.2.3.4', '1.2.3.4/0', 'fe80::1%lo'])
      assert.equal(isPublic(text), false, text);
  });
});
