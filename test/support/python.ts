import { runProgram } from './run-program.ts';

/** What the Python client of proxy-mode.md imports. */
const MODULES = 'requests, cryptography.hazmat.primitives.ciphers';

/** Debian's packages install for `/usr/bin/python3`, which another Python in the PATH may hide. */
const CANDIDATES: string[] = ['python3', '/usr/bin/python3'];

export type FoundPython = { program: string } | { program: undefined; missing: string };

/** A Python that can run the client, or a sentence that says what is missing and how to get it. */
export async function findPython(candidates: readonly string[] = CANDIDATES): Promise<FoundPython> {
  const tried: string[] = [];
  for (const program of candidates) {
    const { code, stderr } = await runProgram(program, ['-c', `import ${MODULES}`]);
    if (code === 0) return { program };
    tried.push(`${program}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  }
  return {
    program: undefined,
    missing:
      'There is no Python with the modules "requests" and "cryptography" (on Debian: ' +
      `apt-get install -y python3-requests python3-cryptography). Tried ${tried.join('; ')}`,
  };
}

/** The part of a test's context that is needed here. */
interface Diagnosed {
  diagnostic(message: string): void;
}

/**
 * A Python that can run the client. Where there is none, a run in CI fails; elsewhere the test is told to do without, and
 * says so: a newcomer's `npm test` must not fail for want of Python.
 * @throws in CI (where the variable is set) if there is none
 */
export async function requirePython(
  test: Diagnosed,
  { env = process.env, candidates = CANDIDATES }: { env?: NodeJS.ProcessEnv; candidates?: string[] } = {},
): Promise<string | undefined> {
  const found = await findPython(candidates);
  if (found.program !== undefined) return found.program;
  if ((env.CI ?? '') !== '') throw new Error(found.missing);
  test.diagnostic(`NOT TESTED: the Python client of proxy-mode.md. ${found.missing}`);
  return undefined;
}
