import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Runs a program to its end, with a text as its standard input; a program that cannot be started has no code. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string | undefined> } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(program, args, {
    // The gateway under test is on this machine: a proxy that the environment names is not to be asked for it.
    env: { ...process.env, NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1', ...env },
    stdio: 'pipe',
    timeout: 60_000,
  });
  const ended = new Promise<{ code: number | null; problem: string }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, problem: error.message }));
    child.once('close', (code) => resolve({ code, problem: '' }));
  });
  child.stdin.on('error', () => undefined); // it may end without having read its input
  child.stdin.end(input);
  const [stdout, stderr, { code, problem }] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ]);
  return { code, stdout, stderr: problem || stderr };
}
