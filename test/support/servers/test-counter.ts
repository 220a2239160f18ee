import { basename } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/**
 * A reporter for Node's test runner that writes one line per test that was executed. Node counts a file without tests
 * as one passed test, so its own totals cannot tell an empty suite.
 */
export default async function* countTests(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { name, file, skip, todo, details } = event.data;
    const isFile = file !== undefined && basename(name) === basename(file);
    if (details.type !== 'suite' && skip === undefined && todo === undefined && !isFile)
      yield `${event.type}\n`;
  }
}
