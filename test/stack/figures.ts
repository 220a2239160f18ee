import { performance } from 'node:perf_hooks';

const began = performance.now();

/** Prints the heading of what is proved next. */
export function section(title: string): void {
  console.log(`\n[${((performance.now() - began) / 1_000).toFixed(0).padStart(3)} s] ${title}`);
}

/** Prints a figure. */
export function figure(what: string, value: string | number): void {
  console.log(`        ${what.padEnd(58)} ${value}`);
}

/** Milliseconds since a moment of `performance.now()`, rounded. */
export function since(moment: number): number {
  return Math.round(performance.now() - moment);
}
