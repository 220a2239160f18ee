/** A license as webhooks need it; who reads the rows knows what they mean. */
export interface LicenseView {
  readonly id: string;
  /** As it is stored: whether it has expired is another matter. */
  readonly status: string;
  readonly expiresAt: Date | undefined;
  /** Requests a UTC day and month, those in force; −1 is unlimited. */
  readonly limits: { readonly daily: number; readonly monthly: number };
  /** What payloads hold: as the admin API shows it, without a secret. */
  readonly data: object;
}

/** Reads a row of `licenses`. */
export type ReadLicense = (row: never) => LicenseView;
