/** What is sent again and again. */
export interface LoadRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface LoadOptions {
  readonly connections: number;
  readonly seconds: number;
}

/** What a load generator saw. */
export interface LoadResult {
  /** Answers that were read to their end. */
  readonly answered: number;
  /** Of them, those that were no success. */
  readonly refused: number;
  /** Connections that failed, broke or timed out. */
  readonly broken: number;
  /** Read from the sockets, unfinished answers included. */
  readonly bytes: number;
  readonly seconds: number;
  /** Milliseconds from a request to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
}

/** Sends one POST request again and again over a number of connections, from a process of its own. */
export interface LoadGenerator {
  readonly name: string;
  run(request: LoadRequest, options: LoadOptions): Promise<LoadResult>;
}
