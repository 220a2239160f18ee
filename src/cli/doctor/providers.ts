import { KEY_TO_COME } from '../../config-secrets.ts';
import type { Config, ProviderName } from '../../config.ts';
import { sealedColumns as providerKeyColumns } from '../../provider-keys.ts';
import { SecretUnreadable } from '../../stores/secret-box.ts';
import { providers } from '../../upstream/providers.ts';
import { reasonOf } from '../terminal.ts';
import { CHECK_LIMIT, examine, failure, fine, warning, type Finding } from './finding.ts';
import { boxOf } from './master-key.ts';
import type { Patient } from './patient.ts';

/** Asks each provider for its models, with the real key: that is free, and tells whether the key is accepted. */
export async function providerFindings({ config, database }: Patient): Promise<Finding[]> {
  if (!config.proxyMode) return [fine('providers', 'direct mode (PROXY_MODE=false): none is spoken to')];
  const keys = { ...keysOfSettings(config), ...(await storedKeys(config, database)) };
  if (keys.openai === undefined && keys.anthropic === undefined) {
    const fix = 'set OPENAI_API_KEY or ANTHROPIC_API_KEY, or licensify provider set-key';
    return [failure('providers', 'no provider has a key: every request is answered 503', fix)];
  }
  const names: ProviderName[] = ['openai', 'anthropic'];
  const asked = names.map((name) =>
    examine(`provider ${name}`, async () => [await ask(name, keys[name], config)]),
  );
  return (await Promise.all(asked)).flat();
}

interface Key {
  value: string;
  /** Where to put another one. */
  place: string;
}

type Keys = Partial<Record<ProviderName, Key>>;

function keysOfSettings({ providerKeys }: Config): Keys {
  const keys: Keys = {};
  for (const name of ['openai', 'anthropic'] as const) {
    const source = providerKeys[name];
    if (source !== undefined && source.value !== KEY_TO_COME)
      keys[name] = { value: source.value, place: `${name.toUpperCase()}_API_KEY` };
  }
  return keys;
}

/** Those that an administrator stored, which win; one that cannot be read is told by the check of the master key. */
async function storedKeys(config: Config, database: Patient['database']): Promise<Keys> {
  const box = boxOf(config);
  if (database === undefined || box === undefined) return {};
  const keys: Keys = {};
  for (const { table, key, column, context } of providerKeyColumns) {
    if (!(await database.knex.schema.hasTable(table))) continue;
    const rows = await database.knex(table).select<{ name: ProviderName; sealed: Uint8Array }[]>({
      name: key,
      sealed: column,
    });
    for (const { name, sealed } of rows) {
      try {
        keys[name] = { value: box.open(sealed, context(name)), place: `licensify provider set-key ${name}` };
      } catch (error) {
        if (!(error instanceof SecretUnreadable)) throw error;
      }
    }
  }
  return keys;
}

async function ask(name: ProviderName, key: Key | undefined, { baseUrls }: Config): Promise<Finding> {
  const check = `provider ${name}`;
  const { keyHeader, defaultHeaders } = providers[name];
  const variable = `${name.toUpperCase()}_API_KEY`;
  if (key === undefined) return fine(check, `${variable} is not set: requests to it are answered 503`);
  const url = new URL('/v1/models', baseUrls[name]);
  url.pathname = `${baseUrls[name].pathname.replace(/\/$/, '')}/v1/models`;
  let status: number;
  try {
    const answer = await fetch(url, {
      headers: [[...keyHeader(key.value)], ...defaultHeaders.map(([header, value]) => [header, value])] as [
        string,
        string,
      ][],
      // With a key in its headers it goes where the settings say, and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(CHECK_LIMIT - 500),
    });
    status = answer.status;
    // Its text may quote the key; it is not even read.
    await answer.body?.cancel();
  } catch (error) {
    const fix = `let this machine through to ${url.host}, or correct ${name.toUpperCase()}_BASE_URL`;
    return failure(check, `${url.host} cannot be reached: ${reasonOf(error)}`, fix);
  }
  return verdictOn({ check, status, host: url.host, place: key.place });
}

function verdictOn({
  check,
  status,
  host,
  place,
}: {
  check: string;
  status: number;
  host: string;
  place: string;
}): Finding {
  if (status === 200) return fine(check, `${host} accepts the key`);
  if (status === 401 || status === 403) {
    const fix = `put a key that is valid into ${place}; docs/operations.md, "A provider refuses our key"`;
    return failure(check, `${host} refuses the key (${status})`, fix);
  }
  if (status === 404)
    return warning(
      check,
      `${host} has no /v1/models (404): whether it accepts the key is not known`,
      'send a request',
    );
  const fix =
    status === 429
      ? 'look at the limits of the account'
      : "look at the provider's status page, and ask again";
  return warning(check, `${host} answers ${status}`, fix);
}
