import { it } from 'node:test';
import { outlives } from '../support/database-outage.ts';
import { startOwnPostgres } from '../support/servers/own-postgres.ts';

it('a PostgreSQL that is killed, and refuses until it is started again: the same, without a restart of ours', async (t) => {
  const postgres = await startOwnPostgres();
  t.after(() => postgres.stop());
  await outlives(t, {
    databaseUrl: postgres.url,
    begin: () => postgres.kill(),
    end: () => postgres.restart(),
  });
});
