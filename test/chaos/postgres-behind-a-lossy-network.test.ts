import { it } from 'node:test';
import { outlives } from '../support/database-outage.ts';
import { createTestDatabase } from '../support/servers/databases.ts';
import { layLine } from '../support/tcp-line.ts';

it('a network that drops every packet, and has forgotten all connections afterwards: the same', async (t) => {
  const database = await createTestDatabase();
  const line = await layLine(database.url);
  t.after(() => line.close());
  await outlives(t, {
    databaseUrl: line.url,
    begin: () => line.lose(),
    end: () => line.restore(),
    unnoticed: true,
  });
});
