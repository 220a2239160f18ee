/** What a mail is for: the label under which it is counted. */
export type MailKind = 'code' | 'license' | 'already_licensed';

export interface Message {
  kind: MailKind;
  /** One plain address, checked where it came in. */
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** The code that proves that an address is its owner's. */
export function codeMessage(
  to: string,
  { code, tier, minutes }: { code: string; tier: string; minutes: number },
): Message {
  return message({ kind: 'code', to, subject: 'Your verification code' }, [
    { text: `Your verification code for a ${tier} license is:` },
    { strong: code },
    {
      text: `It is good for ${minutes} minutes. If you did not ask for it, ignore this mail: nothing happens without it.`,
    },
  ]);
}

/** The license key itself, which is stored nowhere. `expires` and the limits are ready to read. */
export function licenseMessage(
  to: string,
  license: { key: string; tier: string; expires: string | undefined; daily: string; monthly: string },
): Message {
  return message({ kind: 'license', to, subject: 'Your license key' }, [
    { text: `This is the key of your ${license.tier} license:` },
    { strong: license.key },
    { text: `Requests: ${license.daily} a day, ${license.monthly} a month.` },
    { text: license.expires === undefined ? 'It does not expire.' : `It expires on ${license.expires}.` },
    { text: 'Keep this mail: the key cannot be shown again, since only a fingerprint of it is stored.' },
  ]);
}

/** In place of a code, where the address has a license already: its owner learns so, and whoever else asked does not. */
export function alreadyLicensedMessage(
  to: string,
  { tier, keyPrefix }: { tier: string; keyPrefix: string },
): Message {
  return message({ kind: 'already_licensed', to, subject: 'You have a license already' }, [
    {
      text: `Somebody, probably you, asked for a ${tier} license for this address. It has one already, whose key begins with:`,
    },
    { strong: `${keyPrefix}…` },
    { text: 'The key was mailed when the license was made. If you have lost it, ask us for a new one.' },
    { text: 'If you did not ask, ignore this mail: nothing has changed.' },
  ]);
}

type Paragraph = { text: string } | { strong: string };

/** The same paragraphs as plain text and as HTML. */
function message(head: Pick<Message, 'kind' | 'to' | 'subject'>, paragraphs: Paragraph[]): Message {
  const text = paragraphs.map((p) => ('strong' in p ? `    ${p.strong}` : p.text)).join('\n\n');
  const html = paragraphs
    .map((p) =>
      'strong' in p
        ? `<p style="font-size:1.5em"><code>${escape(p.strong)}</code></p>`
        : `<p>${escape(p.text)}</p>`,
    )
    .join('\n');
  const page = `<!doctype html>\n<html lang="en"><body style="font-family:sans-serif">\n${html}\n</body></html>\n`;
  return { ...head, text: `${text}\n`, html: page };
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
