import { Option, type Command } from 'commander';
import { runningGateway } from './admin-api.ts';
import { webhookId } from './arguments.ts';
import { addCommand, addGroup } from './command.ts';
import { confirm } from './confirm.ts';
import { printJson } from './tables.ts';
import type { Terminal } from './terminal.ts';
import { registerDeliveryCommands } from './webhook-delivery-commands.ts';
import { printWebhook, printWebhooks, type WebhookJson } from './webhook-view.ts';

interface JsonOption {
  json?: boolean;
}

interface WebhookOptions extends JsonOption {
  url?: string;
  event?: string[];
  description?: string;
  enable?: boolean;
  disable?: boolean;
}

const ID = 'whe_0123456789abcdef01234567';

/** `licensify webhook …`. */
export function registerWebhookCommands(program: Command, terminal: Terminal): void {
  const group = addGroup(program, 'webhook', 'tells other systems what happens to licenses');
  registerList(group, terminal);
  registerCreate(group, terminal);
  registerUpdate(group, terminal);
  registerRemove(group, terminal);
  registerRotateSecret(group, terminal);
  registerDeliveryCommands(group, terminal);
}

function registerList(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'list',
    description: 'lists webhooks',
    examples: ['webhook list'],
  }).action(async ({ json }: JsonOption) => {
    const page = (await runningGateway(terminal).admin('GET', '/webhooks')) as { data: WebhookJson[] };
    if (json === true) return printJson(terminal, page);
    if (page.data.length === 0) return terminal.complain('There are no webhooks.');
    printWebhooks(terminal, page.data);
  });
}

function registerCreate(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'create',
    description: 'adds a webhook and prints its secret, once',
    examples: [
      'webhook create https://example.com/licensify',
      'webhook create https://example.com/usage --event usage.threshold --event license.expiring',
    ],
  })
    .argument('<url>', 'where events are posted to: https, at a public address')
    .addOption(eventOption())
    .option('--description <text>', 'what it is for')
    .action(async (url: string, options: WebhookOptions) => {
      const body = { ...fieldsOf(options), url };
      const made = (await runningGateway(terminal).admin('POST', '/webhooks', body)) as {
        webhook: WebhookJson;
        secret: string;
      };
      if (options.json === true) return printJson(terminal, made);
      terminal.print(secretText(`Made webhook ${made.webhook.id}. Its secret is:`, made.secret));
      terminal.complain(`\nNext, see whether it arrives: licensify webhook test ${made.webhook.id}`);
    });
}

function registerUpdate(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'update',
    description: 'changes a webhook; what is not named stays',
    examples: [`webhook update ${ID} --event '*'`, `webhook update ${ID} --disable`],
  })
    .argument('<webhook>', 'its id, whe_…', webhookId)
    .option('--url <url>', 'where events are posted to')
    .addOption(eventOption())
    .option('--description <text>', 'what it is for')
    .option('--enable', 'send to it again')
    .addOption(new Option('--disable', 'send nothing to it; what waits is kept').conflicts('enable'))
    .action(async (id: string, options: WebhookOptions) => {
      const answer = (await runningGateway(terminal).admin(
        'PATCH',
        `/webhooks/${id}`,
        fieldsOf(options),
      )) as {
        webhook: WebhookJson;
      };
      if (options.json === true) printJson(terminal, answer);
      else printWebhook(terminal, answer.webhook);
    });
}

function registerRemove(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'remove',
    description: 'removes a webhook, and what was to be delivered to it. Asks first',
    examples: [`webhook remove ${ID}`, `webhook remove ${ID} --yes`],
  })
    .argument('<webhook>', 'its id, whe_…', webhookId)
    .option('--yes', 'do not ask: for scripts')
    .action(async (id: string, options: JsonOption & { yes?: boolean }) => {
      await confirm(terminal, `Remove webhook ${id} and its deliveries?`, options);
      await runningGateway(terminal).admin('DELETE', `/webhooks/${id}`);
      if (options.json === true) printJson(terminal, { removed: true, webhook: id });
      else terminal.print(`Webhook ${id} is removed.`);
    });
}

function registerRotateSecret(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'rotate-secret',
    description: 'makes a new secret and prints it, once; the one before signs too for 24 hours',
    examples: [`webhook rotate-secret ${ID}`],
  })
    .argument('<webhook>', 'its id, whe_…', webhookId)
    .action(async (id: string, { json }: JsonOption) => {
      const path = `/webhooks/${id}/rotate-secret`;
      const rotated = (await runningGateway(terminal).admin('POST', path)) as {
        webhook: WebhookJson;
        secret: string;
      };
      if (json === true) return printJson(terminal, rotated);
      terminal.print(secretText(`The new secret of webhook ${id} is:`, rotated.secret));
      const until = rotated.webhook.previous_secret_until ?? '';
      terminal.complain(`\nThe one before signs too until ${until}.`);
    });
}

function secretText(title: string, secret: string): string {
  return [title, '', `  ${secret}`, '', 'It is shown only now: what is kept of it is encrypted.'].join('\n');
}

function eventOption(): Option {
  return new Option('--event <type>', "a type of event to send, or '*' for all; can be repeated").argParser(
    (type: string, before: string[] | undefined) => [...(before ?? []), type],
  );
}

function fieldsOf({ url, event, description, enable, disable }: WebhookOptions): object {
  return {
    ...(url !== undefined && { url }),
    ...(event !== undefined && { events: event }),
    ...(description !== undefined && { description }),
    ...((enable ?? disable) !== undefined && { enabled: enable === true }),
  };
}
