/** What the conformance kit holds a Redis to. */
import type { TargetFeatures } from '../conformance/harness.contract.js';

/** Of keys and channels that begin with this, and of the data that a world puts there. */
export const actsOf = (prefix: string): Record<string, string[]> => ({
  'read orders': ['GET', `${prefix}orders:1`],
  'write orders': ['SET', `${prefix}orders:1`, 'lamp'],
  'delete orders': ['DEL', `${prefix}orders:2`],
  'read salaries': ['GET', `${prefix}salaries:1`],
  'publish news': ['PUBLISH', `${prefix}news:1`, 'new lamp'],
  'publish elsewhere': ['PUBLISH', `${prefix}other`, 'new lamp'],
  'see all keys': ['SCAN', '0'],
  'see all users': ['ACL', 'USERS'],
  'run a script': ['EVAL', 'return 1', '0'],
  'take another database': ['SELECT', '1'],
  'empty it': ['FLUSHALL'],
});
const NOTHING_ELSE = ['see all users', 'run a script', 'take another database', 'empty it'];

/** @param prefix of the world that it is asked of */
export const redisFeatures = (prefix: string): TargetFeatures => ({
  asksServer: true,
  knowsPrincipals: true,
  keepsSessions: true,
  refusesLateCreate: true,
  wired: true,
  restart: 'forgets',
  restores: true,
  rights: [
    {
      rights: [`%R~${prefix}orders:* +@read`],
      permits: ['read orders'],
      forbids: [
        'write orders',
        'delete orders',
        'read salaries',
        'publish news',
        'see all keys',
        ...NOTHING_ELSE,
      ],
    },
    {
      rights: [`~${prefix}orders:* +get +set`, `&${prefix}news:* +publish`],
      permits: ['read orders', 'write orders', 'publish news'],
      forbids: ['delete orders', 'read salaries', 'publish elsewhere', 'see all keys', ...NOTHING_ELSE],
    },
  ],
});
