import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { runningGateway, type RunningGateway } from './admin-api.ts';
import { deliveryId, pageSize, webhookId } from './arguments.ts';
import { addCommand } from './command.ts';
import { printJson } from './tables.ts';
import { FAILURE, type Terminal } from './terminal.ts';
import { printDeliveries, type DeliveryJson } from './webhook-view.ts';

interface JsonOption {
  json?: boolean;
}

/** An attempt takes 10 s at most, and begins within about one. Milliseconds. */
const PATIENCE = 15_000;
const ASK_AGAIN = 250;

/** Those of `licensify webhook …` that are about what was sent. */
export function registerDeliveryCommands(group: Command, terminal: Terminal): void {
  registerTest(group, terminal);
  registerDeliveries(group, terminal);
  registerResend(group, terminal);
}

function registerTest(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'test',
    description: 'sends a test event to a webhook, and says what was answered',
    examples: ['webhook test whe_0123456789abcdef01234567'],
  })
    .argument('<webhook>', 'its id, whe_…', webhookId)
    .action((id: string, options: JsonOption) => attempt(terminal, `/webhooks/${id}/test`, options));
}

function registerResend(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'resend',
    description: 'delivers again, whatever became of it, and says what was answered',
    examples: ['webhook resend whd_0123456789abcdef01234567'],
  })
    .argument('<delivery>', 'its id, whd_…, which "licensify webhook deliveries" shows', deliveryId)
    .action((id: string, options: JsonOption) =>
      attempt(terminal, `/webhooks/deliveries/${id}/resend`, options),
    );
}

function registerDeliveries(group: Command, terminal: Terminal): void {
  addCommand(group, {
    usage: 'deliveries',
    description: 'lists what was sent and what became of it, the newest first',
    examples: ['webhook deliveries', 'webhook deliveries --status failed --event license.expired'],
  })
    .addOption(
      new Option('--status <status>', 'those in this state alone').choices([
        'pending',
        'delivered',
        'failed',
      ]),
    )
    .option('--webhook <webhook>', 'those of this webhook alone', webhookId)
    .option('--event <event>', 'those of this type of event, or of this one (evt_…), alone')
    .option('--limit <number>', 'how many at most, 1 to 200', pageSize, 50)
    .option('--cursor <cursor>', 'go on where a list before ended')
    .action(async ({ json, webhook, ...filter }: JsonOption & Record<string, string | number>) => {
      const asked = { ...filter, ...(webhook !== undefined && { endpoint: webhook }) };
      const query = new URLSearchParams(Object.entries(asked).map(([key, value]) => [key, String(value)]));
      const path = `/webhooks/deliveries?${query.toString()}`;
      const page = (await runningGateway(terminal).admin('GET', path)) as {
        data: DeliveryJson[];
        next_cursor: string | null;
      };
      if (json === true) return printJson(terminal, page);
      if (page.data.length === 0) return terminal.complain('There are no such deliveries.');
      printDeliveries(terminal, page.data);
      if (page.next_cursor !== null) terminal.complain(`There are more: --cursor ${page.next_cursor}`);
    });
}

/** Asks for an attempt and waits for what becomes of it. The exit code tells it, too. */
async function attempt(terminal: Terminal, path: string, { json }: JsonOption): Promise<void> {
  const gateway = runningGateway(terminal);
  const { delivery } = (await gateway.admin('POST', path)) as { delivery: DeliveryJson };
  const outcome = await outcomeOf(gateway, delivery);
  if (json === true) printJson(terminal, { delivery: outcome });
  else if (outcome.status === 'delivered')
    terminal.print(`Delivered: ${outcome.event.type} was answered with ${outcome.response_status ?? '?'}.`);
  else terminal.complain(failureText(outcome));
  if (outcome.status !== 'delivered') terminal.exit(FAILURE);
}

async function outcomeOf(gateway: RunningGateway, started: DeliveryJson): Promise<DeliveryJson> {
  const deadline = performance.now() + PATIENCE;
  let now = started;
  // A failed attempt leaves it pending, with its error and the time of the next.
  while (now.status === 'pending' && !hasFailed(now) && performance.now() < deadline) {
    await sleep(ASK_AGAIN);
    const path = `/webhooks/deliveries?event=${now.event.id}&endpoint=${now.webhook}`;
    const page = (await gateway.admin('GET', path)) as { data: DeliveryJson[] };
    now = page.data[0] ?? now;
  }
  return now;
}

function hasFailed({ error }: DeliveryJson): boolean {
  return error !== null;
}

function failureText({ id, error, next_attempt_at: next }: DeliveryJson): string {
  const what = error ?? 'there is no answer yet';
  const then = next === null ? 'It is not tried again' : `It is tried again at ${next}`;
  return `Not delivered: ${what}. ${then}. (${id})`;
}
