import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';

const script = join(import.meta.dirname, '../test-proxy.sh');

/** All that the script may use, beside what is built into bash: no jq, no Python. */
const programs = ['bash', 'curl', 'openssl', 'sed', 'grep', 'od', 'tr', 'head', 'mktemp', 'rm'];

/** Runs test-proxy.sh where there are no other programs than those that it says it needs. */
export class ProxyScript {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  static async prepare(): Promise<ProxyScript> {
    const path = mkdtempSync(join(tmpdir(), 'licensify-path-'));
    for (const program of programs) {
      const { stdout } = await runProgram('/bin/sh', ['-c', `command -v ${program}`]);
      symlinkSync(stdout.trim(), join(path, program));
    }
    return new ProxyScript(path);
  }

  /** What it says with these settings, having asserted that it says no whole key. */
  async run(settings: Record<string, string | undefined>): Promise<{ code: number | null; said: string }> {
    const env = { LICENSE_KEY: undefined, ...settings, PATH: this.#path };
    const { code, stdout, stderr } = await runProgram(script, [], { env });
    const said = stdout + stderr;
    assert.equal(/px_[0-9A-Za-z]{12}/.test(said), false, 'the script prints its proxy key');
    const { LICENSE_KEY: licenseKey } = settings;
    if (licenseKey !== undefined) assert.equal(said.includes(licenseKey), false, 'it prints its license key');
    return { code, said };
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}
