// Runs in an extension, as its page's script and as its service worker: what it keeps is shared by both.
import { Licensify } from './client/index.js';

globalThis.kit = {
  async speak(url, licenseKey) {
    const client = new Licensify({ url });
    if (licenseKey !== undefined) await client.activate(licenseKey);
    let text = '';
    const messages = [{ role: 'user', content: 'Hello' }];
    for await (const piece of client.chat({ model: 'gpt-4o', messages })) text += piece;
    return { text, remaining: client.quota.remaining, place: 'document' in globalThis ? 'page' : 'worker' };
  },

  async tiers(url) {
    try {
      return await new Licensify({ url }).tiers();
    } catch ({ name, code }) {
      return { name, code };
    }
  },
};
