/** A line of the exposition in plain text. */
export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** All series of an exposition. */
export function seriesIn(exposition: string): Series[] {
  return [...exposition.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = '', labels = '', value]) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]),
      ),
      value: Number(value),
    }),
  );
}

/** The sum over the series that have these labels; undefined: there is none. */
export function sumOf(
  series: Series[],
  name: string,
  wanted: Record<string, string> = {},
): number | undefined {
  const found = series.filter(
    (one) =>
      one.name === name && Object.entries(wanted).every(([label, value]) => one.labels[label] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
