import type { Knex } from 'knex';
import type { Clock } from './clock.ts';
import { readKeyFile } from './config-secrets.ts';
import type { Config, ProviderName } from './config.ts';
import type { Changes } from './licensing/changes.ts';
import type { Logger } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { Trouble } from './observe/trouble.ts';
import { patiently } from './stores/database.ts';
import type { SealedColumn } from './stores/sealed-columns.ts';
import { SecretUnreadable, type SecretBox } from './stores/secret-box.ts';
import { KeyRing } from './upstream/key-ring.ts';
import { ProviderKey } from './upstream/provider-keys.ts';
import { ProviderRefusals } from './upstream/provider-refusals.ts';
import { sealedProviderKeys, StoredKeys, type KeyNews } from './upstream/stored-keys.ts';

/** Announced in a license's place; no license has such an id, and instances that do not know it find nothing by it. */
const PROVIDER_KEYS = 'provider-keys';

/** Whatever is stored under the master key: all of it is encrypted anew when that is replaced. */
export const sealedColumns: readonly SealedColumn[] = [sealedProviderKeys];

interface Options {
  config: Config;
  db: Knex;
  box: SecretBox | undefined;
  changes: Changes;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

/** The providers' keys: those of the settings, and those that are stored. @throws where a stored one cannot be read */
export async function openKeyRing({
  config,
  db,
  box,
  changes,
  clock,
  log,
  metrics,
}: Options): Promise<KeyRing> {
  const trouble = new Trouble(log, 'stored provider keys cannot be read: those before stay in force');
  const now = (): number => clock.now();
  const stored = await explained(() =>
    StoredKeys.open({
      ...{ db, box, now, news: newsOver(changes), report: trouble },
      changed: (provider, key) =>
        log.info({ provider, key: key?.fingerprint ?? null }, 'the stored provider key has changed'),
    }),
  );
  const configured = {
    openai: configuredKey('openai', config, log),
    anthropic: configuredKey('anthropic', config, log),
  };
  const ring = new KeyRing({ configured, stored, refusals: new ProviderRefusals(db, now) });
  metrics.providers.watch(() =>
    ring.inForce().map(({ provider, key: { fingerprint, source } }) => ({ provider, fingerprint, source })),
  );
  return ring;
}

/** The start fails where a stored key cannot be read, and says what to do then. */
async function explained<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await patiently(open);
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error;
    throw new SecretUnreadable(
      `${error.message}. Or, if that is lost, take the stored key away ` +
        '(licensify provider remove-key <provider> --in-database) and set it anew',
    );
  }
}

function newsOver(changes: Changes): KeyNews {
  return {
    announce: () => changes.announce(PROVIDER_KEYS),
    onNews(listener) {
      changes.onChange((what) => {
        if (what === PROVIDER_KEYS) listener();
      });
      changes.onGap(listener);
    },
  };
}

function configuredKey(
  provider: ProviderName,
  { providerKeys }: Config,
  log: Logger,
): ProviderKey | undefined {
  const source = providerKeys[provider];
  if (source === undefined) return undefined;
  return new ProviderKey(source, readKeyFile, (err) => {
    if (err === undefined) log.info({ provider }, 'the provider key was read again from its file');
    else log.error({ provider, err }, 'the provider key file cannot be read: the key before stays in force');
  });
}
