/** Knex' own dialect for PostgreSQL: the class to extend, which its types leave out. */
declare module 'knex/lib/dialects/postgres/index.js' {
  import type { Knex } from 'knex';

  const PostgresClient: typeof Knex.Client;
  export default PostgresClient;
}
