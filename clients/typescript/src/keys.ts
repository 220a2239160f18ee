import { nameFor, readActivation, readKept, type Activation, type KeptActivation } from './activation.ts';
import { makeDeviceKey, type DeviceKey } from './device-key.ts';
import { DeviceError, LicensifyError, StoreError } from './errors.ts';
import type { Signing } from './signer.ts';
import { defaultStore, type Store } from './store.ts';
import { abortable, type Sending, type Transport } from './transport.ts';
import { randomHex } from './web-crypto.ts';

export interface KeysOptions {
  transport: Transport;
  app: string;
  store: Store | undefined;
  licenseKey: string | undefined;
  hardwareId: string | undefined;
  keepLicenseKey: boolean;
  signing: Signing;
  /** Of an activation. Milliseconds. */
  timeoutMs: number;
}

/** What `/activate` answered, and the key of the device that it was asked to bind. */
interface Asked {
  answer: Record<string, unknown>;
  deviceKey: DeviceKey | undefined;
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
    const { answer, deviceKey } = await this.#ask(sent, { signal, timeoutMs });
    const read = await readActivation(answer, { licenseKey: key, hardwareId: hardware });
    this.#licenseKey = key;
    // In force even where it then cannot be kept.
    this.#kept = {
      version: 1,
      url: transport.url,
      ...(keepLicenseKey && { license_key: key }),
      hardware_id: hardware,
      proxy_key: read.proxyKey,
      ...(read.signing !== undefined && { signing: read.signing }),
      ...(deviceKey !== undefined && { private_key: deviceKey }),
    };
    await this.#write(this.#kept);
    return read.activation;
  }

  /** With a key of the device where that is to be bound, a new one each time. */
  async #ask(sent: { license_key: string; hardware_id: string }, sending: Sending): Promise<Asked> {
    const { transport, signing } = this.#options;
    const withKey = async (): Promise<Asked> => {
      const deviceKey = await makeDeviceKey();
      const answer = await transport.json('/activate', { ...sent, public_key: deviceKey.x }, sending);
      return { answer, deviceKey };
    };
    if (signing === 'ed25519' || (signing === 'auto' && (await this.#isBound()))) return withKey();
    try {
      return { answer: await transport.json('/activate', sent, sending), deviceKey: undefined };
    } catch (error) {
      const isDuty = error instanceof LicensifyError && error.code === 'public_key_required';
      if (signing === 'auto' && isDuty) return withKey();
      throw error;
    }
  }

  /** A device that was bound stays so. */
  async #isBound(): Promise<boolean> {
    return (this.#kept ?? (await this.#read().catch(nothing)))?.private_key !== undefined;
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

  /** The same key, whose requests are to be signed with it from now on: its tier has come to ask for that. */
  async stamped(kept: KeptActivation): Promise<KeptActivation> {
    const stamped: KeptActivation = { ...kept, signing: 'hmac-sha256' };
    if (this.#kept?.proxy_key !== kept.proxy_key || this.#kept.signing !== undefined) return stamped;
    this.#kept = stamped;
    const stored = await this.#read().catch(nothing);
    // Where that cannot be kept, it is learned again at the next start.
    if (stored?.proxy_key === kept.proxy_key) await this.#write(stamped).catch(nothing);
    return stamped;
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
    const made = `hw-${randomHex(16)}`;
    await store.set(DEVICE_NAME, `${made}\n`);
    return made;
  }

  async #find(): Promise<KeptActivation> {
    // With a license key at hand, what is damaged is replaced.
    const kept = this.#licenseKey === undefined ? await this.#read() : await this.#read().catch(nothing);
    const isUnbound = this.#options.signing === 'ed25519' && kept?.private_key === undefined;
    if (kept !== undefined && !isUnbound) return (this.#kept = kept);
    const licenseKey = this.#licenseKey ?? kept?.license_key;
    if (licenseKey === undefined) {
      throw notActivated(`This device is not activated${kept === undefined ? '' : ' with a key of its own'}`);
    }
    return this.#activated(licenseKey, kept?.hardware_id);
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

  async #write(kept: KeptActivation): Promise<void> {
    await (await this.#stored()).set(this.#name, `${JSON.stringify(kept, undefined, 2)}\n`);
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

/** A name for files and storages. @throws LicensifyError */
export function checkedApp(app: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(app)) return app;
  throw new LicensifyError(
    `app takes up to 64 letters, digits, ".", "-" and "_", beginning with one of the former, not ${JSON.stringify(app)}`,
    { code: 'invalid_app' },
  );
}
