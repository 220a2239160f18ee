/** Told of each command or query: how long it took, and whether it failed or was given up. */
export type OperationReport = (milliseconds: number, failed: boolean) => void;

/** Settles as the work does, and reports it. */
export function reported<T>(work: Promise<T>, report: OperationReport | undefined): Promise<T> {
  if (report === undefined) return work;
  const began = performance.now();
  work.then(
    () => report(performance.now() - began, false),
    () => report(performance.now() - began, true),
  );
  return work;
}
