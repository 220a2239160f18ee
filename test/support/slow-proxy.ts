import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy that can be told to be slow, to drop everything, or to break all connections. */
export interface SlowProxy {
  readonly url: string;
  /** How long each piece of an answer is held back. Milliseconds. */
  delay(ms: number): void;
  /** Takes what comes and passes nothing on, in either direction, as a firewall does that drops packets. */
  swallow(on: boolean): void;
  /** The connections that are open now stay so, and nothing passes on them any more; new ones are not concerned. */
  forget(): void;
  /** Resets all connections; `refuse` resets new ones too. */
  cut(options?: { refuse?: boolean }): void;
  accept(): void;
  close(): Promise<void>;
}

/** @param target the port on 127.0.0.1 that it stands before @param scheme of the URL that it has */
export async function startSlowProxy(target: number, scheme = 'redis'): Promise<SlowProxy> {
  let delayMs = 0;
  let swallowing = false;
  let refusing = false;
  const open = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  const server = net.createServer((client) => {
    if (refusing) {
      reset(client);
      return;
    }
    const upstream = net.connect(target, '127.0.0.1');
    const ends = [client, upstream] as const;
    for (const socket of ends) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        for (const end of ends) end.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (!swallowing && !forgotten.has(client)) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (swallowing || forgotten.has(client)) return;
      if (delayMs === 0) client.write(chunk);
      else setTimeout(() => client.writable && client.write(chunk), delayMs);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of open) reset(socket);
  };
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    delay: (ms) => (delayMs = ms),
    swallow: (on) => (swallowing = on),
    forget() {
      for (const socket of open) forgotten.add(socket);
    },
    cut({ refuse = false } = {}) {
      refusing = refuse;
      cut();
    },
    accept: () => (refusing = false),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

/** Node.js keeps a socket for ever that is reset while it is ending or has something to write: such a one is closed. */
function reset(socket: Socket): void {
  if (socket.writableEnded || socket.writableLength > 0) socket.destroy();
  else socket.resetAndDestroy();
}
