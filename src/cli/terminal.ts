import type { Environment } from '../config.ts';

/** What a command may do to the world outside: main.ts gives it the process, a test something to look into. */
export interface Terminal {
  /** The environment with `.env` of the working directory behind it. */
  environment(): Environment;
  print(text: string): void;
  /** On standard error. */
  complain(text: string): void;
  /** Whether a person reads the output. */
  isInteractive: boolean;
  exit(code: number): void;
  /** Calls back once, when the process is asked to stop. */
  onStop(stop: (signal: string) => void): void;
}

/** An error whose message is all that a user needs: main.ts prints it without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
