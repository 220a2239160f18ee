import { StoreError } from './errors.ts';

/**
 * Where a device keeps its key: small texts by name. Names hold letters, digits, `.`, `-` and `_` only. What is kept is
 * a secret.
 */
export interface Store {
  /** @throws StoreError where something is there that cannot be used */
  get(name: string): Promise<string | undefined>;
  set(name: string, text: string): Promise<void>;
  delete(name: string): Promise<void>;
}

/** Forgets everything with the process or the page. */
export function memoryStore(): Store {
  const kept = new Map<string, string>();
  return {
    get: (name) => Promise.resolve(kept.get(name)),
    set: (name, text) => Promise.resolve(void kept.set(name, text)),
    delete: (name) => Promise.resolve(void kept.delete(name)),
  };
}

/** What is needed of `localStorage` and of `sessionStorage`. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A page's own storage. Every script of the page's origin can read it. */
export function webStore(app: string, storage: WebStorage): Store {
  const key = (name: string): string => `licensify/${app}/${name}`;
  return {
    get: (name) => settled(() => storage.getItem(key(name)) ?? undefined),
    set: (name, text) => settled(() => storage.setItem(key(name), text)),
    delete: (name) => settled(() => storage.removeItem(key(name))),
  };
}

/** What is needed of `chrome.storage.local`. */
export interface ExtensionStorage {
  get(key: string): Promise<Record<string, unknown>>;
  set(items: Record<string, unknown>): Promise<void>;
  remove(key: string): Promise<void>;
}

/** An extension's storage, which its pages and its service worker share; the extension needs the permission "storage". */
export function extensionStore(app: string, storage: ExtensionStorage): Store {
  const key = (name: string): string => `licensify/${app}/${name}`;
  return {
    async get(name) {
      const value = (await storage.get(key(name)))[key(name)];
      return typeof value === 'string' ? value : undefined;
    },
    set: (name, text) => storage.set({ [key(name)]: text }),
    delete: (name) => storage.remove(key(name)),
  };
}

/** The storage of the place where this runs: files, an extension's, a page's, or memory where there is none of them. */
export async function defaultStore(app: string): Promise<Store> {
  const place = globalThis as unknown as {
    process?: { versions?: { node?: string } };
    chrome?: { runtime?: { id?: string }; storage?: { local?: ExtensionStorage } };
  };
  // Deno has this too. Bundlers for browsers leave the file out: "browser" in package.json.
  if (place.process?.versions?.node !== undefined)
    return (await import('./file-store.ts')).fileStore({ app });
  if (place.chrome?.runtime?.id !== undefined && place.chrome.storage?.local !== undefined) {
    return extensionStore(app, place.chrome.storage.local);
  }
  const storage = pageStorage();
  return storage === undefined ? memoryStore() : webStore(app, storage);
}

/** Reading the property alone can throw, where a person has forbidden storage. */
function pageStorage(): WebStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}

function settled<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (cause) {
    return Promise.reject(
      new StoreError("The page's storage cannot be used", { code: 'store_unusable', cause }),
    );
  }
}
