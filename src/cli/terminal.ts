import type { Environment } from '../config.ts';

/** What a command may do to the world outside: main.ts gives it the process, a test something to look into. */
export interface Terminal {
  /** The variables of this process. */
  environment(): Environment;
  /** Those of `.env` in the working directory; empty where there is none. */
  environmentFile(): Environment;
  print(text: string): void;
  /** On standard output as it stands, without a line's end: for what comes piece by piece. */
  write(text: string): void;
  /** On standard error. */
  complain(text: string): void;
  /** Whether a person reads the output. */
  readonly isInteractive: boolean;
  /** Asks the person at the terminal; undefined where nobody can answer. An input that ends answers ''. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** A secret from standard input, without its appearing; '' where there is none. */
  readSecret(question: string): Promise<string>;
  exit(code: number): void;
  /** Calls back once, when the process is asked to stop. */
  onStop(stop: (signal: string) => void): void;
  /** Calls back each time that the process is asked to read again what it may read again. */
  onReload(reload: () => void): void;
}

/** Exit codes: 0 is success. */
export const FAILURE = 1;
export const WRONG_USAGE = 2;
/** As shells count a Ctrl-C: 128 and the signal's number. */
export const INTERRUPTED = 130;

/** An error whose message is all that a user needs: it is printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number = FAILURE;
}

/** What was typed cannot be carried out, whatever the gateway says. */
export class UsageError extends CommandError {
  override readonly exitCode = WRONG_USAGE;
}

/** Why something failed, in one line: an error's own words and those of what caused it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection is an AggregateError without a message: what it holds says what happened.
  const own =
    error.message || (error instanceof AggregateError ? error.errors.map(reasonOf).join('; ') : error.name);
  return error.cause === undefined ? own : `${own} (${reasonOf(error.cause)})`;
}
