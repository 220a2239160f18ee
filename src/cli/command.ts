import type { Command } from 'commander';

export interface CommandText {
  /** With its arguments, as commander writes them: `show <license>`. */
  usage: string;
  description: string;
  /** What `--json` prints, if not just the same as JSON. */
  json?: string;
  /** Command lines without the leading `licensify`. */
  examples: string[];
}

/** A command of the CLI: each has `--json`, and a `--help` that shows an example. */
export function addCommand(parent: Command, { usage, description, json, examples }: CommandText): Command {
  const command = parent
    .command(usage)
    .description(description)
    .option('--json', json ?? 'print JSON, for programs');
  const lines = examples.map((example) => `  $ licensify ${example}`);
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return command
    .addHelpText('after', `\n${title}:\n${lines.join('\n')}`)
    .showHelpAfterError(`(${pathOf(command)} --help shows how)`);
}

/** A command that only holds others, such as `license`. @param example one of them */
export function addGroup(parent: Command, name: string, description: string, example = 'list'): Command {
  const group = parent.command(name).description(description);
  return group
    .helpCommand(false)
    .addHelpText('after', `\nExample:\n  $ ${pathOf(group)} ${example} --help`)
    .showHelpAfterError(`(${pathOf(group)} --help shows what there is)`);
}

/** `licensify license show`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
