/**
 * Header fields: names and values in turn, which is how they go over the wire and what node writes without making an
 * object of them. Names are in lower case, unless node is about to write them.
 */
export type HeaderList = string[];

/** RFC 9110 §5.5: no control character but a tab, and nothing that latin1 lacks. */
const NOT_IN_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether a header's value arrives as the one value that it is. */
export function isFieldValue(value: string): boolean {
  return !NOT_IN_A_VALUE.test(value);
}

/** Where a name is; -1: it is not there. Only names count: a value may read like one. */
export function indexOfName(list: Readonly<HeaderList>, name: string, end = list.length): number {
  for (let at = 0; at < end; at += 2) if (list[at] === name) return at;
  return -1;
}

/** The value of a name that comes once; of several, the first. */
export function valueIn(list: Readonly<HeaderList>, name: string): string | undefined {
  const at = indexOfName(list, name);
  return at < 0 ? undefined : list[at + 1];
}

/** Takes a name out. Its first value. */
export function takeFrom(list: HeaderList, name: string): string | undefined {
  const at = indexOfName(list, name);
  if (at < 0) return undefined;
  const [, value] = list.splice(at, 2);
  while (takeFrom(list, name) !== undefined);
  return value;
}

/** What node says of a message, whose values may be lists. */
export function listOf(fields: Readonly<Record<string, string | string[] | undefined>>): HeaderList {
  const list: HeaderList = [];
  for (const name in fields) {
    const value = fields[name];
    if (typeof value === 'string') list.push(name, value);
    else for (const line of value ?? []) list.push(name, line);
  }
  return list;
}

/** What node takes of a message. */
export function fieldsOf(list: Readonly<HeaderList>): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (let at = 0; at < list.length; at += 2) {
    const [name = '', value = ''] = [list[at], list[at + 1]];
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}
