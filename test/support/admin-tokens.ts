import assert from 'node:assert/strict';
import type { TestGateway } from './gateway.ts';
import { rememberSecret } from './output.ts';

export interface MadeToken {
  id: string;
  secret: string;
}

/** Makes an admin token, with ADMIN_TOKEN. */
export async function makeToken(
  gateway: TestGateway,
  role: 'read' | 'support' | 'admin',
  fields: { name?: string; expires_at?: string } = {},
): Promise<MadeToken> {
  const made = await gateway.admin('/tokens', { body: { name: `the ${role}`, role, ...fields } });
  assert.equal(made.status, 201, made.text);
  const { token, admin_token: secret } = made.body as unknown as {
    token: { id: string };
    admin_token: string;
  };
  rememberSecret(secret);
  return { id: token.id, secret };
}
