import { CommandError, UsageError, type Terminal } from './terminal.ts';

/**
 * Asks before something that cannot be taken back.
 * @param what a question that names it
 * @throws UsageError where nobody can answer and `--yes` was not given; CommandError where the answer is no
 */
export async function confirm(
  terminal: Terminal,
  what: string,
  { yes }: { yes?: boolean | undefined },
): Promise<void> {
  if (yes === true) return;
  requireAnswerer(terminal, yes);
  const answer = (await terminal.ask?.(`${what} [y/N] `)) ?? '';
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed.');
}

/** The refusal of `confirm` alone, for what comes before the question. @throws UsageError */
export function requireAnswerer(terminal: Terminal, yes: boolean | undefined): void {
  if (yes === true || terminal.ask !== undefined) return;
  throw new UsageError('This asks for a confirmation, and there is no terminal to ask on: pass --yes.');
}
