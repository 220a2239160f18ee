import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { installPackage, installProblem } from '../servers/install.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** Without the network that a browser talks to by itself; as root it needs to run without its sandbox. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium with a profile of its own; gone, profile and all, when it is closed. */
export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
}

/** Starts one without a window, with an unpacked extension if a folder is given. */
export async function startBrowser(extension?: string): Promise<Browser> {
  const executablePath = await requireChromium();
  const profile = mkdtempSync(join(tmpdir(), 'licensify-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [
      ...ARGUMENTS,
      ...(extension === undefined
        ? []
        : [`--disable-extensions-except=${extension}`, `--load-extension=${extension}`]),
    ],
    ...(extension !== undefined && { ignoreDefaultArgs: ['--disable-extensions'] }),
  });
  return {
    context,
    async [Symbol.asyncDispose]() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** @throws where there is none and none can be installed, saying what to do */
async function requireChromium(): Promise<string> {
  const found = findChromium();
  if (found !== undefined) return found;
  const problem = installProblem();
  let reason = problem;
  if (problem === undefined) {
    await installPackage('chromium', { say: (line) => console.log(line) }).catch(
      (error: unknown) => (reason = String(error)),
    );
    const installed = findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'The tests of browsers need Chromium. On Debian: apt-get install -y chromium; elsewhere set CHROMIUM_PATH to its ' +
      `program. It cannot be installed here: ${reason ?? 'it was, and is not there'}.`,
  );
}

function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  return (given === undefined || given === '' ? PLACES : [given]).find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
