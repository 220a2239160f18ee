import { Option, type Command } from 'commander';
import { queryOf, runningGateway } from './admin-api.ts';
import { moment, orNull, pageSize, tokenId } from './arguments.ts';
import { addCommand, addGroup } from './command.ts';
import { confirm, requireAnswerer } from './confirm.ts';
import { printable, printJson, printTable, tellOfMore, type Page } from './tables.ts';
import type { Terminal } from './terminal.ts';

/** An admin token as the admin API shows it. */
interface TokenJson {
  id: string;
  token_prefix: string;
  name: string;
  role: string;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

/** `licensify token …`. */
export function registerTokenCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'token', 'makes, shows and revokes admin tokens');
  registerCreate(group, terminal);
  registerList(group, terminal);
  registerRevoke(group, terminal);
}

function registerCreate(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'create',
    description: 'makes an admin token and prints it, once',
    examples: [
      'token create --name "Grace, support" --role support',
      'token create --name dashboard --role read --expires 2027-01-31 --json',
    ],
  })
    .requiredOption('--name <name>', 'whose it is, or what for: the audit names it')
    .addOption(
      new Option('--role <role>', 'read; support: changes, but neither revokes nor touches keys; admin: all')
        .choices(['read', 'support', 'admin'])
        .makeOptionMandatory(),
    )
    .option('--expires <time>', 'a time, a UTC day (its beginning), or never', moment)
    .action(async (options: { json?: boolean; name: string; role: string; expires?: string }) => {
      const { name, role, expires } = options;
      const body = { name, role, ...(expires !== undefined && { expires_at: orNull(expires) }) };
      const made = (await runningGateway(terminal).admin('POST', '/tokens', body)) as {
        token: TokenJson;
        admin_token: string;
      };
      if (options.json === true) printJson(terminal, made);
      else terminal.print(newTokenText(made.token, made.admin_token));
    });
}

function newTokenText(token: TokenJson, secret: string): string {
  return [
    `Made token ${token.id} for ${printable(token.name)}, role ${token.role}:`,
    '',
    `  ${secret}`,
    '',
    'It is shown only now: what is kept of it is a hash. To use it:',
    '',
    `  export ADMIN_TOKEN=${secret}`,
  ].join('\n');
}

function registerList(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'list',
    description: 'lists admin tokens, the newest first; revoked ones too',
    examples: ['token list'],
  })
    .option('--limit <number>', 'how many at most, 1 to 200', pageSize, 50)
    .option('--cursor <cursor>', 'go on where a list before ended')
    .action(async ({ json, ...where }: { json?: boolean; limit: number; cursor?: string }) => {
      const path = `/tokens?${queryOf(where)}`;
      const page = (await runningGateway(terminal).admin('GET', path)) as Page<TokenJson>;
      if (json === true) return printJson(terminal, page);
      if (page.data.length === 0) return terminal.complain('There are no tokens but ADMIN_TOKEN.');
      const head = ['id', 'name', 'role', 'token', 'created', 'last used', 'state'];
      const rows = page.data.map((token) => [
        token.id,
        token.name,
        token.role,
        `${token.token_prefix}…`,
        token.created_at,
        token.last_used_at ?? 'never',
        stateOf(token),
      ]);
      printTable(terminal, head, rows);
      tellOfMore(terminal, page);
    });
}

function stateOf({ revoked_at: revoked, expires_at: expires }: TokenJson): string {
  if (revoked !== null) return `revoked ${revoked}`;
  return expires === null ? 'active' : `until ${expires}`;
}

function registerRevoke(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'revoke',
    description: 'ends an admin token for good, at once and on every gateway; asks first',
    examples: [
      'token revoke tok_0123456789abcdef01234567',
      'token revoke tok_0123456789abcdef01234567 --yes',
    ],
  })
    .argument('<token>', 'its id, tok_…', tokenId)
    .option('--yes', 'do not ask: for scripts')
    .action(async (id: string, { json, yes }: { json?: boolean; yes?: boolean }) => {
      requireAnswerer(terminal, yes);
      await confirm(terminal, `Revoke token ${id}? It cannot be taken back.`, { yes });
      const ended = (await runningGateway(terminal).admin('POST', `/tokens/${id}/revoke`)) as {
        token: TokenJson;
      };
      if (json === true) printJson(terminal, ended);
      else terminal.print(`Token ${id} of ${printable(ended.token.name)} is revoked, for good.`);
    });
}
