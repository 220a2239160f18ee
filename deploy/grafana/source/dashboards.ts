import { instances } from './instances.ts';
import { limits } from './limits.ts';
import { overview } from './overview.ts';
import { providers } from './providers.ts';
import type { DashboardSpec } from './spec.ts';
import { stores } from './stores.ts';

/** All of them, in the order in which to look. */
export const dashboards: readonly DashboardSpec[] = [overview, limits, providers, stores, instances];
