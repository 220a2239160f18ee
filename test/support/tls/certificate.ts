import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of localhost, signed by itself, for a hundred years: made for these tests and trusted by nobody else. */
export const certificateFile = join(import.meta.dirname, 'localhost.crt');

export const localhostTls = {
  cert: readFileSync(certificateFile),
  key: readFileSync(join(import.meta.dirname, 'localhost.key')),
};
