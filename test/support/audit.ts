import assert from 'node:assert/strict';
import type { TestGateway } from './gateway.ts';

export interface AuditEntry {
  id: number;
  at: string;
  actor: { type: string; id: string | null; name: string; role: string | null };
  address: string | null;
  request_id: string | null;
  action: string;
  target: string;
  license: string | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** Entries of the audit, the newest first. */
export async function auditOf(gateway: TestGateway, query = ''): Promise<AuditEntry[]> {
  const answer = await gateway.admin(`/audit${query}`);
  assert.equal(answer.status, 200, answer.text);
  return (answer.body as unknown as { data: AuditEntry[] }).data;
}
