import { asCurl, type DemoAnswer } from './demo-call.ts';
import type { DemoDevice, DemoStep } from './demo-story.ts';

/** Of a stream: how many lines are shown at its beginning and its end, and how much of a line's two ends. */
const LINES = 4;
const COLUMNS = 70;

/** Where everything of a running demo is. */
export interface DemoPlace extends DemoDevice {
  url: string;
  adminToken: string;
}

/** A step for a person: its title, what to type (from the first column, to be copied), what came back. */
export function stepText(number: number, step: DemoStep): string {
  const [command, result] =
    'call' in step ? [asCurl(step.call), answerLines(step.answer)] : [step.command, [step.output]];
  return [`\n── ${number}. ${step.title}`, '', command, '', ...result.map((line) => `    ${line}`)].join(
    '\n',
  );
}

/** A step for a program. */
export function stepJson(number: number, step: DemoStep): object {
  const { title } = step;
  if (!('call' in step)) return { step: number, title, command: step.command, output: step.output };
  return { step: number, title, command: asCurl(step.call), ...step.answer };
}

/** The last words: what to try while the demo is there. */
export function placeText({ url, adminToken, proxyKey }: DemoPlace): string {
  return `
── Try the commands above, or yours. An SDK needs two settings:

OPENAI_BASE_URL=${url}/proxy/openai/v1 OPENAI_API_KEY=${proxyKey}
ANTHROPIC_BASE_URL=${url}/proxy/anthropic ANTHROPIC_API_KEY=${proxyKey}

   and the administration, from the project's folder:

LICENSIFY_URL=${url} ADMIN_TOKEN=${adminToken} npx licensify license list

── The demo stays up at ${url} until Ctrl-C; then all of it is removed.`;
}

function answerLines({ status, rateLimit, text }: DemoAnswer): string[] {
  const headers = Object.entries(rateLimit).map(([name, value]) => `${name}: ${value}`);
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return [`HTTP ${status}`, ...headers, '', ...(lines.length > 1 ? shortened(lines) : lines)];
}

/** A stream's first and last events, the middle of long lines left out. */
function shortened(lines: string[]): string[] {
  const cut = lines.map((line) =>
    line.length > 2 * COLUMNS ? `${line.slice(0, COLUMNS)} … ${line.slice(-COLUMNS)}` : line,
  );
  if (cut.length <= 2 * LINES) return cut;
  return [...cut.slice(0, LINES), `… ${cut.length - 2 * LINES} lines more …`, ...cut.slice(-LINES)];
}
