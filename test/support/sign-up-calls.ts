import { startTestGateway, type JsonAnswer, type TestGateway, type TestGatewayOptions } from './gateway.ts';
import { startMailServer, type MailServer } from './mail-server.ts';
import { rememberSecret } from './output.ts';

export interface SignUpStage {
  gateway: TestGateway;
  mail: MailServer;
  close(): Promise<void>;
}

/** A gateway that sends its mail to a server of the test's. */
export async function startSignUpStage(options: TestGatewayOptions = {}): Promise<SignUpStage> {
  const mail = await startMailServer();
  const env = { SMTP_URL: mail.url, MAIL_FROM: 'Example <licenses@example.com>', TRUST_PROXY: '1' };
  try {
    const gateway = await startTestGateway({ ...options, env: { ...env, ...options.env } });
    return {
      gateway,
      mail,
      async close() {
        await gateway.close();
        await mail.close();
      },
    };
  } catch (error) {
    await mail.close();
    throw error;
  }
}

let caller = 0;

/** Each call comes from another address, unless one is given: what bounds an address has a test of its own. */
function from(address = `198.51.${Math.floor((caller += 1) / 250)}.${caller % 250}`): Record<string, string> {
  return { 'x-forwarded-for': address };
}

export function init(gateway: TestGateway, body: object, address?: string): Promise<JsonAnswer> {
  return gateway.request('/init', { body, headers: from(address) });
}

export async function verify(
  gateway: TestGateway,
  email: string,
  code: string,
  address?: string,
): Promise<JsonAnswer> {
  const answer = await gateway.request('/verify', { body: { email, code }, headers: from(address) });
  const { license_key: key } = answer.body as { license_key?: string };
  if (key !== undefined) rememberSecret(key);
  return answer;
}

/** A code of six digits that is not this one. */
export function wrongCode(code: string, nth = 1): string {
  return String((Number(code) + nth) % 1_000_000).padStart(6, '0');
}
