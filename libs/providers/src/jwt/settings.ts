/** A service that takes our tokens, as the operator wrote it in `targets.yaml`, checked. Nothing is connected to, so there is no login. */
import { z } from 'zod';
import { anyTarget } from '../any-target.js';
import { tokenAudience } from './audience.js';

export const jwtSettings = z.strictObject({
  ...anyTarget,
  provider: z.literal('jwt'),
  /** Its name in tokens: the service takes those alone that are for it. */
  audience: tokenAudience,
});

export type JwtSettings = z.output<typeof jwtSettings>;
