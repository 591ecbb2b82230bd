/** Who reads in specs of the API, each with a role of its own. */
import type { Catalogue } from '#events/catalogue.js';
import { OPERATOR } from './world.js';

export const OLGA = 'user:olga@corp.example';
export const NADIA = 'user:nadia@corp.example';
/** Asks more often than it may. */
export const BUSY = 'spiffe://dev.mayfly/operator/busy';

export const READERS: Catalogue['operators'] = new Map([
  [OPERATOR, { id: OPERATOR, roles: ['auditor' as const] }],
  [BUSY, { id: BUSY, roles: ['auditor' as const] }],
  [OLGA, { id: OLGA, roles: ['operator' as const] }],
  [NADIA, { id: NADIA, roles: ['auditor' as const], tenants: ['corp'] }],
]);
