import type { Customers } from '../support/cluster/customers.ts';
import type { Stack } from './stack.ts';

/** What each check gets: the stack, and who administers it. */
export interface World {
  stack: Stack;
  customers: Customers;
}
