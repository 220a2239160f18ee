import type { Registry } from 'prom-client';
import { CounterFamily } from './families.ts';

/** What happens beside requests: new tiers, mails. */
export class BusinessMetrics {
  readonly #tiersChanges;
  readonly #mails;

  constructor(registry: Registry) {
    this.#tiersChanges = new CounterFamily(registry, {
      name: 'licensify_tiers_changes_total',
      help: 'New tiers that this instance was given, by whether they are in force or were refused',
      labels: ['outcome'],
    });
    this.#mails = new CounterFamily(registry, {
      name: 'licensify_mails_total',
      help: 'Tries to send a mail, by what came of them; after "failed" there is no further try',
      labels: ['kind', 'outcome'],
    });
    for (const outcome of ['replaced', 'refused']) this.#tiersChanges.of(outcome);
  }

  tiersChanged(outcome: 'replaced' | 'refused'): void {
    this.#tiersChanges.of(outcome).add();
  }

  mailed(kind: string, outcome: 'sent' | 'retried' | 'failed'): void {
    this.#mails.of(kind, outcome).add();
  }
}
