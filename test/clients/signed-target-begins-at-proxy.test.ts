import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { targetOf } from '../../clients/typescript/src/signer.ts';

describe('path and query are signed as the gateway sees them', () => {
  it('without what stands before /proxy, and as a fetch writes them', () => {
    for (const [base, path, target] of [
      ['https://example.com', '/proxy/openai/v1/models', '/proxy/openai/v1/models'],
      ['https://example.com:8443', '/proxy/openai/v1/models?a=b?c', '/proxy/openai/v1/models?a=b?c'],
      ['https://example.com/licenses', '/proxy/openai/v1/models?', '/proxy/openai/v1/models?'],
      ['https://example.com/a/b', '/proxy/openai/v1/ü x?q=ü#part', '/proxy/openai/v1/%C3%BC%20x?q=%C3%BC'],
    ] as const) {
      assert.equal(targetOf(base + path, base), target);
    }
  });
});
