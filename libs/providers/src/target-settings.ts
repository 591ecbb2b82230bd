/** One target as the operator wrote it in `targets.yaml`, checked, whatever its kind. */
import { z } from 'zod';
import { jwtSettings } from './jwt/settings.js';
import { kafkaSettings } from './kafka/settings.js';
import { postgresSettings } from './postgres/settings.js';
import { redisSettings } from './redis/settings.js';

export const targetSettings = z.discriminatedUnion('provider', [
  postgresSettings,
  jwtSettings,
  redisSettings,
  kafkaSettings,
]);

export type TargetSettings = z.output<typeof targetSettings>;

/** Whether an adapter that was opened for one is right for the other: nothing is different, the password included. */
export function isSameTarget(one: TargetSettings, other: TargetSettings): boolean {
  if ('login' in one && 'login' in other && !one.login.password.equals(other.login.password)) return false;
  return JSON.stringify(one) === JSON.stringify(other);
}
