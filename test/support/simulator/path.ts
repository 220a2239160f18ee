/**
 * The path as the most lenient server behind a provider might read it: decoded twice, backslashes and double
 * slashes as one slash, dots resolved. So what a gateway should have refused and let through is found here.
 */
export function normalisePath(target: string): string {
  if (/^\/[\w/.:-]*$/.test(target) && !/\/\/|\/\./.test(target)) return target;
  const absolute = target.replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  const path = absolute.replace(/[?#].*$/s, '');
  const segments: string[] = [];
  for (const segment of decode(decode(path)).replaceAll('\\', '/').split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
