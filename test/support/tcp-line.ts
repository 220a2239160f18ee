import { startSlowProxy } from './slow-proxy.ts';

/** A line to a server that can be made to lose everything, as a network or a firewall does. */
export interface TcpLine {
  /** The server's URL, by way of the line. */
  readonly url: string;
  /** From now on nothing passes in either direction, and nobody is told. */
  lose(): void;
  /** New connections work again. Those of before stay dead: what remembered them has forgotten. */
  restore(): void;
  close(): Promise<void>;
}

/** Lays a line to the server of a URL on this machine. */
export async function layLine(serverUrl: string): Promise<TcpLine> {
  const proxy = await startSlowProxy(Number(new URL(serverUrl).port));
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = new URL(proxy.url).port;
  return {
    url: url.href,
    lose: () => proxy.swallow(true),
    restore() {
      proxy.forget();
      proxy.swallow(false);
    },
    close: () => proxy.close(),
  };
}
