import type { Config, ProviderName } from '../../config.ts';
import { providers } from '../../upstream/providers.ts';
import { reasonOf } from '../terminal.ts';
import { CHECK_LIMIT, examine, failure, fine, warning, type Finding } from './finding.ts';

/** Asks each provider for its models, with the real key: that is free, and tells whether the key is accepted. */
export async function providerFindings(config: Config): Promise<Finding[]> {
  if (!config.proxyMode) return [fine('providers', 'direct mode (PROXY_MODE=false): none is spoken to')];
  const { openai, anthropic } = config.providerKeys;
  if (openai === undefined && anthropic === undefined) {
    const fix = 'set OPENAI_API_KEY or ANTHROPIC_API_KEY, or their _FILE form';
    return [failure('providers', 'no provider has a key: every request is answered 503', fix)];
  }
  const names: ProviderName[] = ['openai', 'anthropic'];
  const asked = names.map((name) => examine(`provider ${name}`, async () => [await ask(name, config)]));
  return (await Promise.all(asked)).flat();
}

async function ask(name: ProviderName, { providerKeys, baseUrls }: Config): Promise<Finding> {
  const check = `provider ${name}`;
  const { keyHeader, defaultHeaders } = providers[name];
  const source = providerKeys[name];
  const variable = `${name.toUpperCase()}_API_KEY`;
  if (source === undefined) return fine(check, `${variable} is not set: requests to it are answered 503`);
  const url = new URL('/v1/models', baseUrls[name]);
  url.pathname = `${baseUrls[name].pathname.replace(/\/$/, '')}/v1/models`;
  let status: number;
  try {
    const answer = await fetch(url, {
      headers: [
        [...keyHeader(source.value)],
        ...defaultHeaders.map(([header, value]) => [header, value]),
      ] as [string, string][],
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
  return verdictOn({ check, status, host: url.host, variable });
}

function verdictOn({
  check,
  status,
  host,
  variable,
}: {
  check: string;
  status: number;
  host: string;
  variable: string;
}): Finding {
  if (status === 200) return fine(check, `${host} accepts the key`);
  if (status === 401 || status === 403) {
    const fix = `put a key that is valid into ${variable}; docs/operations.md, "A provider refuses our key"`;
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
