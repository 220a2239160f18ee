import type { Finding } from '../../../src/cli/doctor/finding.ts';
import type { Environment } from '../../../src/config.ts';
import { licensify } from '../cli.ts';

export interface Examined {
  code: number;
  findings: Finding[];
  /** Everything that was printed. */
  output: string;
}

/** `licensify doctor --json` with these settings. */
export async function examined(env: Environment): Promise<Examined> {
  const { code, out, err } = await licensify(['doctor', '--json'], { env });
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  return { code, findings, output: out + err };
}

/** What was found of one thing, `state: found`, with what to do. */
export function foundOf({ findings }: Examined, check: string): string[] {
  return findings
    .filter((finding) => finding.check === check)
    .map(({ state, found, fix }) => `${state}: ${found}${fix === undefined ? '' : ` -> ${fix}`}`);
}
