import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';

type Input = NodeJS.ReadableStream & { isTTY?: boolean };

/**
 * A secret from standard input: all of it where it is a pipe or a file; from a person, one line that does not appear.
 * Never from the command line, which every user of the machine can read.
 */
export async function readSecret(question: string, input: Input, output: Writable): Promise<string> {
  if (input.isTTY !== true) return (await text(input)).trim();
  output.write(question);
  // As a terminal, readline echoes to its output what is typed: to this one.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  try {
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    return (await Promise.race([lines.question(''), closed])).trim();
  } finally {
    lines.close();
    output.write('\n');
  }
}
