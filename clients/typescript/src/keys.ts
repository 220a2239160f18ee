import { nameFor, readActivation, readKept, type Activation, type KeptActivation } from './activation.ts';
import { DeviceError, LicensifyError, StoreError } from './errors.ts';
import { defaultStore, type Store } from './store.ts';
import { abortable, type Transport } from './transport.ts';

export interface KeysOptions {
  transport: Transport;
  app: string;
  store: Store | undefined;
  licenseKey: string | undefined;
  hardwareId: string | undefined;
  keepLicenseKey: boolean;
  /** Of an activation. Milliseconds. */
  timeoutMs: number;
}

const DEVICE_NAME = 'device-id';

/** This device's key: where it comes from, where it is kept, and how it is renewed. */
export class Keys {
  readonly #options: KeysOptions;
  readonly #name: string;
  #store: Promise<Store> | undefined;
  #kept: KeptActivation | undefined;
  /** Not kept where the application does not want it, but known while this lives. */
  #licenseKey: string | undefined;
  #finding: Promise<KeptActivation> | undefined;
  #renewing: Promise<KeptActivation> | undefined;

  constructor(options: KeysOptions) {
    this.#options = options;
    this.#name = nameFor(options.transport.url);
    this.#licenseKey = options.licenseKey?.trim();
  }

  /** Activates this device and keeps what it got. */
  async activate(licenseKey: string, hardwareId?: string, signal?: AbortSignal): Promise<Activation> {
    const { transport, timeoutMs, keepLicenseKey } = this.#options;
    const key = licenseKey.trim();
    const hardware = hardwareId ?? (await this.hardwareId());
    const sent = { license_key: key, hardware_id: hardware };
    const answer = await transport.json('/activate', sent, { signal, timeoutMs });
    const read = await readActivation(answer, { licenseKey: key, hardwareId: hardware });
    this.#licenseKey = key;
    // In force even where it then cannot be kept.
    this.#kept = {
      version: 1,
      url: transport.url,
      ...(keepLicenseKey && { license_key: key }),
      hardware_id: hardware,
      proxy_key: read.proxyKey,
    };
    await (await this.#stored()).set(this.#name, `${JSON.stringify(this.#kept, undefined, 2)}\n`);
    return read.activation;
  }

  /** What is kept, or a first activation where the application gave a license key. @throws DeviceError */
  async current(signal?: AbortSignal): Promise<KeptActivation> {
    if (this.#kept !== undefined) return this.#kept;
    this.#finding ??= this.#find().finally(() => (this.#finding = undefined));
    return abortable(this.#finding, signal);
  }

  /**
   * Another key in place of one that was refused: what another process has kept meanwhile, else a new activation, one
   * for all who ask at the same time.
   */
  async renew(refused: string, signal?: AbortSignal): Promise<KeptActivation> {
    if (this.#kept !== undefined && this.#kept.proxy_key !== refused) return this.#kept;
    this.#renewing ??= this.#renew(refused).finally(() => (this.#renewing = undefined));
    return abortable(this.#renewing, signal);
  }

  /** The license key and the device, for the license endpoints. @throws DeviceError where neither is known */
  async identity(signal?: AbortSignal): Promise<{ license_key: string; hardware_id: string }> {
    const kept = await this.current(signal);
    const licenseKey = this.#licenseKey ?? kept.license_key;
    if (licenseKey === undefined) throw notActivated('The license key is not kept on this device');
    return { license_key: licenseKey, hardware_id: kept.hardware_id };
  }

  /** Removes what is kept. The device's generated id stays: it is the same device when it is activated again. */
  async forget(): Promise<void> {
    this.#kept = undefined;
    this.#licenseKey = this.#options.licenseKey?.trim();
    await (await this.#stored()).delete(this.#name);
  }

  /** The same at each start: given, kept, the machine's own, or generated once and kept. */
  async hardwareId(): Promise<string> {
    const known =
      this.#options.hardwareId ?? this.#kept?.hardware_id ?? (await this.#read().catch(nothing))?.hardware_id;
    if (known !== undefined) return known;
    const store = await this.#stored();
    const generated = await store.get(DEVICE_NAME);
    if (generated !== undefined && generated.trim() !== '') return generated.trim();
    const machine = isProgram() ? await (await import('./machine-id.ts')).machineId() : undefined;
    if (machine !== undefined) return machine;
    const made = `hw-${randomId()}`;
    await store.set(DEVICE_NAME, `${made}\n`);
    return made;
  }

  async #find(): Promise<KeptActivation> {
    const licenseKey = this.#licenseKey;
    // With a license key at hand, what is damaged is replaced.
    const kept = licenseKey === undefined ? await this.#read() : await this.#read().catch(nothing);
    if (kept !== undefined) return (this.#kept = kept);
    if (licenseKey === undefined) throw notActivated('This device is not activated');
    return this.#activated(licenseKey, undefined);
  }

  async #renew(refused: string): Promise<KeptActivation> {
    const kept = await this.#read().catch(nothing);
    if (kept !== undefined && kept.proxy_key !== refused) return (this.#kept = kept);
    const licenseKey = this.#licenseKey ?? this.#kept?.license_key ?? kept?.license_key;
    if (licenseKey === undefined) throw notActivated("This device's key is no longer valid");
    return this.#activated(licenseKey, this.#kept?.hardware_id);
  }

  async #activated(licenseKey: string, hardwareId: string | undefined): Promise<KeptActivation> {
    await this.activate(licenseKey, hardwareId);
    if (this.#kept === undefined) throw notActivated('This device was deactivated meanwhile');
    return this.#kept;
  }

  /** What is kept for this gateway, and for the device that the application names, if it does. */
  async #read(): Promise<KeptActivation | undefined> {
    const text = await (await this.#stored()).get(this.#name);
    const kept = text === undefined ? undefined : readKept(text, this.#name);
    const { transport, hardwareId } = this.#options;
    if (kept?.url !== transport.url || (hardwareId ?? kept.hardware_id) !== kept.hardware_id)
      return undefined;
    return kept;
  }

  #stored(): Promise<Store> {
    const { store, app } = this.#options;
    return (this.#store ??= store === undefined ? defaultStore(app) : Promise.resolve(store));
  }
}

function notActivated(what: string): DeviceError {
  return new DeviceError(`${what}: call activate(licenseKey)`, { code: 'not_activated' });
}

/** For what is kept and cannot be used. Anything else is a fault. */
function nothing(error: unknown): undefined {
  if (!(error instanceof StoreError)) throw error;
}

/** Node.js or Deno, as opposed to a browser. */
function isProgram(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A name for files and storages. @throws LicensifyError */
export function checkedApp(app: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(app)) return app;
  throw new LicensifyError(
    `app takes up to 64 letters, digits, ".", "-" and "_", beginning with one of the former, not ${JSON.stringify(app)}`,
    { code: 'invalid_app' },
  );
}
