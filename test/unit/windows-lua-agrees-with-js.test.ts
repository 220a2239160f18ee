import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { Redis } from 'ioredis';
import { DAY_MS, monthOf, monthOfDay } from '../../src/quota/windows.ts';
import { testRedisUrl } from '../support/servers/databases.ts';

const windows = readFileSync(new URL('../../src/quota/windows.lua', import.meta.url), 'utf8');

it('the month of every day from 1970 to 2100 is the same in Lua, in JavaScript and in the calendar', async (t) => {
  const redis = new Redis(testRedisUrl());
  t.after(() => redis.disconnect());
  const days = Date.UTC(2101, 0, 1) / DAY_MS;
  const script = `${windows}
    local months = {}
    for day = 0, tonumber(ARGV[1]) - 1 do months[day + 1] = month_of(day) end
    return months`;
  const months = (await redis.eval(script, 1, 'windows-test', days)) as number[];
  assert.equal(months.length, 47_847);
  for (const [day, month] of months.entries()) {
    const date = new Date(day * DAY_MS);
    const expected = date.getUTCFullYear() * 12 + date.getUTCMonth();
    assert.ok(month === expected && monthOfDay(day) === expected, `${date.toISOString()}: ${month}`);
  }
  assert.equal(months.at(-1), monthOf(Date.UTC(2100, 11, 31, 23, 59, 59)));
});

it('the day that Lua takes from the injected time is the one of JavaScript, on both sides of midnight', async (t) => {
  const redis = new Redis(testRedisUrl());
  t.after(() => redis.disconnect());
  const times = ['1970-01-01T00:00:00Z', '2026-03-10T23:59:59.999Z', '2026-03-11T00:00:00.000Z'];
  for (const time of times.map((text) => Date.parse(text))) {
    const day = await redis.eval(`${windows} return today(ARGV[1])`, 1, 'windows-test', time);
    assert.equal(day, Math.floor(time / DAY_MS));
  }
});
