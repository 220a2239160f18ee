import type { Command } from 'commander';
import { queryOf, runningGateway } from './admin-api.ts';
import { day, dayOrTime, licenseId, pageSize } from './arguments.ts';
import { addCommand } from './command.ts';
import { printJson, printTable, tellOfMore, type Page } from './tables.ts';
import type { Terminal } from './terminal.ts';

type UsageRow = Record<string, string | number>;

interface AuditEntry {
  at: string;
  actor: { name: string; role: string | null };
  address: string | null;
  action: string;
  target: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** `licensify usage`, `licensify audit` and `licensify openapi`: what is only looked at. */
export function registerReportCommands(program: Command, terminal: Terminal): void {
  registerUsage(program, terminal);
  registerAudit(program, terminal);
  registerOpenapi(program, terminal);
}

function registerUsage(program: Command, terminal: Terminal): void {
  addCommand(program, {
    usage: 'usage',
    description: 'shows what was used, summed by day, license, provider or model',
    examples: [
      'usage',
      'usage --license lic_0123456789abcdef01234567 --group-by day,model --from 2026-11-01',
    ],
  })
    .option('--from <day>', 'the first UTC day; by default the first of the month', day)
    .option('--to <day>', 'the last UTC day, included; by default today', day)
    .option('--license <license>', 'that of one license alone', licenseId)
    .option('--provider <provider>', 'that of one provider alone')
    .option('--model <model>', 'that of one model alone')
    .option('--group-by <keys>', 'of day, license, provider and model, separated by commas', 'day')
    .option('--limit <number>', 'how many rows at most, 1 to 200', pageSize, 50)
    .option('--cursor <cursor>', 'go on where a list before ended')
    .action(async ({ json, ...query }: { json?: boolean } & Record<string, string | number>) => {
      const page = (await runningGateway(terminal).admin(
        'GET',
        `/usage?${queryOf(query)}`,
      )) as Page<UsageRow>;
      if (json === true) return printJson(terminal, page);
      const [first] = page.data;
      if (first === undefined) return terminal.complain('Nothing was used in that time.');
      const head = Object.keys(first);
      printTable(
        terminal,
        head,
        page.data.map((row) => head.map((name) => String(row[name] ?? ''))),
      );
      tellOfMore(terminal, page);
    });
}

function registerAudit(program: Command, terminal: Terminal): void {
  addCommand(program, {
    usage: 'audit',
    description: 'shows who changed what, when and from where; the newest first',
    examples: [
      'audit --license lic_0123456789abcdef01234567',
      'audit --actor "Grace, support" --from 2026-11-01',
    ],
  })
    .option('--license <license>', 'changes of one license alone', licenseId)
    .option('--actor <actor>', "by one alone: a token's id, or a name such as ADMIN_TOKEN")
    .option('--action <action>', 'of one kind alone, such as license.updated')
    .option('--from <time>', 'the first time, or UTC day', dayOrTime)
    .option('--to <time>', 'the end, or the last UTC day', dayOrTime)
    .option('--limit <number>', 'how many at most, 1 to 200', pageSize, 50)
    .option('--cursor <cursor>', 'go on where a list before ended')
    .action(async ({ json, ...query }: { json?: boolean } & Record<string, string | number>) => {
      const page = (await runningGateway(terminal).admin(
        'GET',
        `/audit?${queryOf(query)}`,
      )) as Page<AuditEntry>;
      if (json === true) return printJson(terminal, page);
      if (page.data.length === 0) return terminal.complain('There are no such changes.');
      printTable(terminal, ['at', 'who', 'from', 'what', 'of', 'change'], page.data.map(auditCells));
      tellOfMore(terminal, page);
    });
}

function auditCells({ at, actor, address, action, target, before, after }: AuditEntry): string[] {
  const who = actor.role === null ? actor.name : `${actor.name} (${actor.role})`;
  return [at, who, address ?? '', action, target, changeText(before ?? {}, after ?? {})];
}

/** `daily_limit: 100 → 200; tier: free → pro`. */
function changeText(before: Record<string, unknown>, after: Record<string, unknown>): string {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const parts = names.map((name) => {
    if (!(name in before)) return after[name] === null ? '' : `${name}: ${text(after[name])}`;
    return name in after
      ? `${name}: ${text(before[name])} → ${text(after[name])}`
      : `${name}: ${text(before[name])}`;
  });
  return parts.filter((part) => part !== '').join('; ');
}

function registerOpenapi(program: Command, terminal: Terminal): void {
  addCommand(program, {
    usage: 'openapi',
    description: "prints the OpenAPI document of the gateway's admin API, which takes no token",
    json: 'the same: it is JSON',
    examples: ['openapi > licensify.openapi.json'],
  }).action(async () => printJson(terminal, await runningGateway(terminal).get('/admin/openapi.json')));
}
