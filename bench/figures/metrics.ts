import type { GatewayService } from '../rig.ts';

/** One metric without labels, as a scraper would read it. @throws Error if the gateway does not have it */
export async function readMetric({ internalUrl }: GatewayService, name: string): Promise<number> {
  const text = await (await fetch(`${internalUrl}/metrics`)).text();
  const value = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`there is no metric ${name}`);
  return Number(value);
}
