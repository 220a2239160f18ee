import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

/** What a provider does on all its connections while nobody looks. */
export type Doing = 'answers' | 'closes' | 'resets';

export const UNASKED = 'nobody has asked for this';

/**
 * A provider in a thread of its own, so that it can do something while the test's thread is busy. Each request gets the
 * value of its header `x-own` back.
 */
export class BusyProvider {
  readonly url: string;
  readonly #worker: Worker;

  private constructor(worker: Worker, url: string) {
    this.#worker = worker;
    this.url = url;
  }

  static async start(): Promise<BusyProvider> {
    const worker = new Worker(fileURLToPath(import.meta.url));
    const [port] = (await once(worker, 'message')) as [number];
    return new BusyProvider(worker, `http://127.0.0.1:${port}`);
  }

  /** Returns when it is done and has arrived; until then this thread does nothing at all. */
  whileBusy(doing: Doing): void {
    const done = new Int32Array(new SharedArrayBuffer(4));
    this.#worker.postMessage({ doing, done });
    Atomics.wait(done, 0, 0);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

if (!isMainThread) serve();

function serve(): void {
  const sockets = new Set<Socket>();
  // Nagle's algorithm would keep back what is written behind an answer until the next request acknowledges that.
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const [, own = ''] of bytes.toString().matchAll(/x-own: (\S*)/g)) socket.write(answer(own));
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port));
  parentPort?.on('message', ({ doing, done }: { doing: Doing; done: Int32Array }) => {
    void Promise.all([...sockets].map((socket) => act(socket, doing))).then(() => {
      Atomics.store(done, 0, 1);
      Atomics.notify(done, 0);
    });
  });
}

function act(socket: Socket, doing: Doing): Promise<void> {
  return new Promise((resolve) => {
    if (doing === 'answers') socket.write(answer(UNASKED), () => resolve());
    else if (doing === 'closes') socket.end(() => resolve());
    else socket.resetAndDestroy().once('close', () => resolve());
  });
}

function answer(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
