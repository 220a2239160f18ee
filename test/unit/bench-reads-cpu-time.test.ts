import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sharesOf, type CpuProfile } from '../../bench/cpu-profile.ts';
import { coreBusyMsIn, cpuMsIn } from '../../bench/proc.ts';

describe('where the benchmark reads CPU time', () => {
  it('/proc/<pid>/stat: user and system time, whatever the program is called', () => {
    const fields = 'S 1 1 1 0 -1 4194304 100 0 0 0 150 50 7 7 20 0 11 0 1000';
    assert.equal(cpuMsIn(`42 (node) ${fields}`), 2_000);
    assert.equal(cpuMsIn(`42 (a) 9 (b c) ${fields}`), 2_000);
    assert.equal(cpuMsIn('42 (node) S'), undefined);
  });

  it('/proc/stat: the time that one core was busy, neither idle nor waiting for a disk', () => {
    const stat = 'cpu  9 9 9 9 9 9 9 0 0 0\ncpu0 100 1 50 900 30 2 7 0 0 0\ncpu1 1 1 1 1 1 1 1 0 0 0\nintr 1';
    assert.equal(coreBusyMsIn(stat, 0), 1_600);
    assert.equal(coreBusyMsIn(stat, 2), undefined);
  });

  it('a profile: own time by owner and by caller, between two moments, idle time left out', () => {
    const { total, byOwner, byCaller, byFunction } = sharesOf(profile, 1_000, 1_070);
    assert.equal(total, 60);
    assert.deepEqual(Object.fromEntries(byOwner), { 'src/http': 20, 'node:http': 30, 'node: built in': 10 });
    // Node's function counts for the package that called it; what nobody of ours called stays Node's.
    assert.deepEqual(Object.fromEntries(byCaller), {
      'src/http': 20,
      'http-proxy': 30,
      'node: built in': 10,
    });
    assert.deepEqual(byFunction[0], ['request  node:_http_client:5', 30]);
  });
});

const frame = (
  functionName: string,
  url: string,
): { functionName: string; url: string; lineNumber: number } => ({
  functionName,
  url,
  lineNumber: 4,
});

/** Samples of 10 µs from 1,000 on; the last one lies beyond the window that the test asks for. */
const profile: CpuProfile = {
  startTime: 1_000,
  nodes: [
    { id: 1, callFrame: frame('(root)', ''), children: [2, 5, 6] },
    { id: 2, callFrame: frame('proxy', 'file:///work/src/http/proxy.ts'), children: [3] },
    { id: 3, callFrame: frame('web', 'file:///work/node_modules/http-proxy/dist/index.js'), children: [4] },
    { id: 4, callFrame: frame('request', 'node:_http_client') },
    { id: 5, callFrame: frame('(idle)', '') },
    { id: 6, callFrame: frame('writev', '') },
  ],
  samples: [2, 4, 5, 4, 2, 4, 6, 2],
  timeDeltas: [10, 10, 10, 10, 10, 10, 10, 10],
};
