import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { licensify } from '../support/cli.ts';

// Nothing listens there: what got as far as a request would end with 1.
const env = { LICENSIFY_URL: 'http://127.0.0.1:2', ADMIN_TOKEN: 'a-token-for-nobody' };
const LICENSE = 'lic_0123456789abcdef01234567';

const wrong: [string, string[], RegExp][] = [
  ['no command', [], /Usage: licensify/],
  ['an unknown command', ['licence', 'list'], /unknown command 'licence'\n\(Did you mean license\?\)/],
  ['a group without a command', ['license'], /Usage: licensify license/],
  ['an unknown command of a group', ['license', 'destroy'], /unknown command 'destroy'/],
  ['an unknown option', ['license', 'list', '--al'], /unknown option '--al'/],
  ['a required option left out', ['license', 'create', '--name', 'A', '--tier', 'pro'], /'--email <email>'/],
  ['an argument left out', ['license', 'show'], /missing required argument 'license'/],
  ['an argument too many', ['license', 'show', LICENSE, 'x'], /too many arguments/],
  ['what is no license id', ['license', 'show', 'ada'], /It takes a license's id, lic_…/],
  ['a limit that is none', ['license', 'update', LICENSE, '--daily-limit', '1.5'], /It takes a whole number/],
  ['a negative limit', ['license', 'update', LICENSE, '--daily-limit', '-2'], /It takes a whole number/],
  ['a day that is none', ['license', 'update', LICENSE, '--expires-at', '2027-02-31x'], /It takes a day/],
  [
    'a time without its zone',
    ['license', 'update', LICENSE, '--expires-at', '2027-01-31T10:00'],
    /takes a day/,
  ],
  ['nothing to change', ['license', 'update', LICENSE], /Name something to change/],
  ['an unknown status', ['license', 'list', '--status', 'gone'], /Allowed choices are active/],
  ['a page of nothing', ['license', 'list', '--limit', '0'], /It takes a whole number from 1 to 200/],
  ['a device without its license', ['device', 'remove'], /missing required argument 'license'/],
];

describe('wrong usage ends with 2 and says what is wrong:', () => {
  for (const [what, args, sentence] of wrong) {
    it(what, async () => {
      const { code, out, err } = await licensify(args, { env });
      assert.equal(code, 2, err);
      assert.match(err, sentence);
      assert.equal(out, '', 'what a script reads stays empty');
    });
  }

  it('a license key where its id belongs, without repeating it', async () => {
    const key = 'LIC-AAAAA-BBBBB-CCCCC-DDDDD-EEEEE';
    const { code, err } = await licensify(['license', 'revoke', key, '--yes'], { env });
    assert.equal(code, 2);
    assert.match(err, /That is a license key\. Its id, lic_…, is asked for/);
    assert.ok(!err.includes(key));
  });
});
