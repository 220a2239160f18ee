import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseTiers } from '../../src/licensing/tiers-file.ts';

function problemsOf(source: string): string[] {
  const read = parseTiers(source, 'tiers.toml');
  return read.ok ? [] : read.problems;
}

const tier = (id: string, ...lines: string[]): string =>
  [
    `[tiers.${id}]`,
    'name = "A tier"',
    'daily_limit = 1',
    'monthly_limit = 2',
    'max_devices = 3',
    ...lines,
  ].join('\n');

it('every problem is told, each with its line', () => {
  const source = [
    '# our tiers', // 1
    '[tiers.free]', // 2
    'name = ""', // 3
    'daily_limit = -2', // 4
    'monthly_limit = "many"', // 5
    'max_devices = 1.5', // 6
    'dayly_limit = 5', // 7
    'hiden = true', // 8
    '', // 9
    '[tiers.pro]', // 10
    'name = "Pro"', // 11
    'on_counter_outage = "maybe"', // 12
    'migrate_to = 7', // 13
  ].join('\n');
  const problems = problemsOf(source);
  const places = problems.map((problem) => /^tiers\.toml:(\d+): ([\w.]+): ./.exec(problem)?.slice(1, 3));
  const expected = [
    ['3', 'tiers.free.name'],
    ['4', 'tiers.free.daily_limit'],
    ['5', 'tiers.free.monthly_limit'],
    ['6', 'tiers.free.max_devices'],
    ['7', 'tiers.free.dayly_limit'],
    ['8', 'tiers.free.hiden'],
    ['10', 'tiers.pro.daily_limit'],
    ['10', 'tiers.pro.monthly_limit'],
    ['10', 'tiers.pro.max_devices'],
    ['12', 'tiers.pro.on_counter_outage'],
    ['13', 'tiers.pro.migrate_to'],
  ];
  assert.deepEqual(places.map(String).sort(), expected.map(String).sort(), problems.join('\n'));
});

it('a tier that leads nowhere is told of beside what is wrong with others, and with itself', () => {
  const source = `${tier('old', 'migrate_to = "nowhere"', 'hiden = true')}\n${tier('new', 'migrate_to = "old"')}`;
  const problems = problemsOf(`${source}\n[tiers.bad]\nname = 5`);
  assert.ok(problems.includes('tiers.toml:6: tiers.old.migrate_to: there is no tier "nowhere"'));
  assert.ok(problems.includes('tiers.toml:7: tiers.old.hiden: there is no such field'));
  assert.ok(problems.every((problem) => !problem.includes('tiers.new')));
  assert.deepEqual(problemsOf('tiers = 5').length, 1);
});

it('what is no TOML is told with its line and column', () => {
  const [problem, ...others] = problemsOf(`${tier('free')}\nhidden = ture\n`);
  assert.match(problem ?? '', /^tiers\.toml:6:\d+: /);
  assert.equal(others.length, 0);
  assert.match(problemsOf(`${tier('free')}\nname = "twice"`)[0] ?? '', /^tiers\.toml:6:/);
});

it('a tier to migrate to that is not there, or is the tier itself, is told with its line', () => {
  const source = `${tier('old', 'migrate_to = "new"')}\n${tier('self', 'migrate_to = "self"')}`;
  assert.deepEqual(problemsOf(source), [
    'tiers.toml:6: tiers.old.migrate_to: there is no tier "new"',
    'tiers.toml:12: tiers.self.migrate_to: there is no tier "self"',
  ]);
});

it('names that only look like patterns are no fault of ours', () => {
  for (const name of ['"a(b"', '"[x"', '"c++"', '"^.*$"', '"\\\\"']) {
    const [inTier] = problemsOf(tier('free', `${name} = 1`));
    assert.match(inTier ?? '', /^tiers\.toml:6: tiers\.free\./, name);
    const [header] = problemsOf(`\n\n[tiers.${name}]\nname = "x"`);
    assert.match(header ?? '', /^tiers\.toml:3: tiers/, name);
  }
});

it('a tier without a header of its own has a line too', () => {
  const inline = `[tiers]\n${['free', 'pro'].map((id) => `${id} = { name = "x", daily_limit = -7 }`).join('\n')}`;
  assert.match(problemsOf(inline).join('\n'), /^tiers\.toml:2: tiers\.free\.daily_limit: /m);
  assert.match(problemsOf(inline).join('\n'), /^tiers\.toml:3: tiers\.pro\.daily_limit: /m);
  const dotted = '# dotted\ntiers.free.name = "x"\ntiers.pro.name = "y"';
  assert.match(problemsOf(dotted).join('\n'), /^tiers\.toml:3: tiers\.pro\.daily_limit: /m);
  const misspelt = problemsOf(`${tier('free')}\n\n[tier.pro]\nname = "x"`);
  assert.deepEqual(misspelt, ['tiers.toml:7: tier: there is no such field']);
  assert.match(problemsOf('')[0] ?? '', /^tiers\.toml:1: tiers: /);
});
