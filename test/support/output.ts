import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the suite leaves what the leak scan at its end reads. */
export function outputFolder(name: string): string {
  const folder = join(process.env.TEST_OUTPUT_DIR ?? '.test-output', name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A secret that must not turn up in anything that a gateway writes. */
export function rememberSecret(secret: string): void {
  appendFileSync(join(outputFolder('secrets'), `${process.pid}.txt`), `${secret}\n`);
}

/** Keeps a text that a gateway gave out, for the scan. */
export function keepDump(kind: string, text: string): void {
  writeFileSync(join(outputFolder(kind), `${process.pid}-${randomBytes(6).toString('hex')}.txt`), text);
}

/** Where a gateway's log goes in a test: a file for the scan, and memory for the test itself. */
export function captureLog(): {
  destination: { write(line: string): void };
  lines: () => Record<string, unknown>[];
} {
  const file = join(outputFolder('logs'), `${process.pid}-${randomBytes(6).toString('hex')}.jsonl`);
  const written: string[] = [];
  return {
    destination: {
      write(line) {
        written.push(line);
        appendFileSync(file, line);
      },
    },
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
