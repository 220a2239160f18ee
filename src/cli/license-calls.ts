import type { RunningGateway } from './admin-api.ts';
import type { LicenseDetails, LicenseJson } from './license-view.ts';

export async function licenseDetails(gateway: RunningGateway, id: string): Promise<LicenseDetails> {
  return ((await gateway.admin('GET', `/licenses/${id}`)) as { license: LicenseDetails }).license;
}

export async function changeStatus(
  gateway: RunningGateway,
  id: string,
  verb: string,
): Promise<{ license: LicenseJson }> {
  return (await gateway.admin('POST', `/licenses/${id}/${verb}`)) as { license: LicenseJson };
}
