import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below what systems give to outgoing connections (Linux from 32768 on, others from 49152 on): a gateway that is being
// restarted under load must find its port free.
const FROM = 20_000;
const BELOW = 32_000;

/** So many different TCP ports of 127.0.0.1 that were free a moment ago, and that no outgoing connection takes. */
export async function reservePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FROM, BELOW);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
