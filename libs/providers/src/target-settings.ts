/** One target as the operator wrote it in `targets.yaml`, checked, whatever its kind. */
import { z } from 'zod';
import { jwtSettings } from './jwt/settings.js';
import { postgresSettings } from './postgres/settings.js';

export const targetSettings = z.discriminatedUnion('provider', [postgresSettings, jwtSettings]);

export type TargetSettings = z.output<typeof targetSettings>;
