import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  dayOf,
  endOfDay,
  endOfMonthOfDay,
  isoDay,
  isoDaysOfMonth,
  monthOf,
} from '../../src/quota/windows.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

it('a day is a UTC day, to the millisecond', () => {
  assert.equal(isoDay(dayOf(Date.parse('2026-03-10T23:59:59.999Z'))), '2026-03-10');
  assert.equal(isoDay(dayOf(Date.parse('2026-03-11T00:00:00.000Z'))), '2026-03-11');
  assert.equal(isoDay(dayOf(Date.parse('2026-03-11T00:30:00+02:00'))), '2026-03-10');
});

it('a month ends with its last day, in leap years too', () => {
  const cases = [
    ['2026-02-10', '2026-02-01', '2026-02-28'],
    ['2028-02-10', '2028-02-01', '2028-02-29'],
    ['2100-02-28', '2100-02-01', '2100-02-28'],
    ['2026-12-31', '2026-12-01', '2026-12-31'],
    ['2026-04-30', '2026-04-01', '2026-04-30'],
  ];
  for (const [day = '', first, last] of cases) {
    assert.deepEqual(isoDaysOfMonth(monthOf(Date.parse(day))), { first, last });
  }
});

it('what is refused today may be tried again at midnight, and what is refused this month on the first', () => {
  const cases = [
    ['2026-03-10', '2026-03-11', '2026-04-01'],
    ['2026-12-31', '2027-01-01', '2027-01-01'],
    ['2028-02-28', '2028-02-29', '2028-03-01'],
  ];
  for (const [day = '', nextDay, nextMonth] of cases) {
    const number = dayOf(Date.parse(day));
    assert.equal(iso(endOfDay(number)), `${nextDay}T00:00:00.000Z`);
    assert.equal(iso(endOfMonthOfDay(number)), `${nextMonth}T00:00:00.000Z`);
  }
});
