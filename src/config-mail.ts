import { z } from 'zod';
import type { Problem } from './config.ts';

/** How mail goes out. */
export interface MailConfig {
  /** `smtp://user:password@host:587`; a secret. */
  readonly url: string;
  /** `licenses@example.com` or `Example <licenses@example.com>`. */
  readonly from: string;
}

const isSmtpUrl = (value: string): boolean =>
  URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol) && new URL(value).hostname !== '';

/** Goes into a header: one line, and one address, alone or behind a name. */
const isSender = (value: string): boolean => {
  const [, address = value] = /^[^<>"\p{C}]*<([^<>]+)>$/u.exec(value) ?? [];
  return z.email().safeParse(address).success;
};

export const mailSettings = {
  SMTP_URL: z
    .string()
    .refine(isSmtpUrl)
    .optional()
    .describe('a URL such as smtp://user:password@host:587, or smtps:// for TLS from the first byte'),
  MAIL_FROM: z
    .string()
    .refine(isSender)
    .optional()
    .describe('the sender of mails: licenses@example.com, or Example <licenses@example.com>'),
};

/** Mail needs both or neither. */
export function mailContradictions(values: {
  SMTP_URL?: string | undefined;
  MAIL_FROM?: string | undefined;
}): Problem[] {
  if ((values.SMTP_URL === undefined) === (values.MAIL_FROM === undefined)) return [];
  const isUrlMissing = values.SMTP_URL === undefined;
  const variable = isUrlMissing ? 'SMTP_URL' : 'MAIL_FROM';
  const takes = mailSettings[variable].description ?? '';
  const why = isUrlMissing ? 'MAIL_FROM is set and goes nowhere without it' : 'SMTP_URL needs it';
  return [{ variable, holds: undefined, takes: `${takes} (${why})` }];
}
