import type { Environment } from '../config.ts';
import type { Terminal } from './terminal.ts';

/**
 * The environment with `.env` behind it: a variable that the process has set, even to nothing, wins. What is set to
 * nothing counts as not set.
 */
export function environmentOf(terminal: Terminal): Environment {
  const all = Object.entries({ ...terminal.environmentFile(), ...terminal.environment() });
  return Object.fromEntries(all.filter(([, value]) => value !== ''));
}

/** Where a variable's value comes from; undefined where it has none. */
export function sourceOf(terminal: Terminal, variable: string): 'environment' | '.env' | undefined {
  const own = terminal.environment()[variable];
  if (own !== undefined) return own === '' ? undefined : 'environment';
  return terminal.environmentFile()[variable] ? '.env' : undefined;
}
