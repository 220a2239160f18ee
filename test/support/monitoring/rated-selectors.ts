/** A counter or histogram whose rate a rule takes, and the values of its labels that the rule picks. */
export interface RatedSelector {
  /** `licensify_requests_total` */
  name: string;
  /** Of each label, the values of which any will do. */
  labels: Record<string, string[]>;
}

/** What an expression takes `rate()`, `irate()` or `increase()` of. @throws at a matcher that names no values */
export function ratedSelectors(expr: string): RatedSelector[] {
  const calls = expr.matchAll(/\b(?:i?rate|increase)\s*\(\s*(\w+)\s*(?:\{([^}]*)\})?\s*\[/g);
  return [...calls].map(([, name = '', matchers = '']) => ({ name, labels: labelsIn(matchers) }));
}

function labelsIn(matchers: string): RatedSelector['labels'] {
  const labels: RatedSelector['labels'] = {};
  for (const [, label = '', operator, value = ''] of matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)) {
    if (operator === '=') labels[label] = [value];
    else if (operator === '=~' && /^[\w|]+$/.test(value)) labels[label] = value.split('|');
    else throw new Error(`which values of ${label} are ${operator ?? ''}"${value}"?`);
  }
  return labels;
}
