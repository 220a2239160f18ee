import { it } from 'node:test';
import { outlives } from '../support/database-outage.ts';
import { startOwnPostgres } from '../support/servers/own-postgres.ts';

it('a PostgreSQL that hangs: what is in memory is served, the rest is told within a second, nothing is lost', async (t) => {
  const postgres = await startOwnPostgres();
  t.after(() => postgres.stop());
  await outlives(t, {
    databaseUrl: postgres.url,
    begin: () => postgres.pause(),
    end: () => postgres.resume(),
  });
});
