/** What is told of secrets of our own that others took the place of: what each event says beside what all say. */
import { z } from 'zod';
import { SERVICES } from './services.js';
import { SIGNING_KEY_CAUSES } from './signing-key.js';

export const signingKeyRotated = {
  service: z.enum(SERVICES),
  kid: z.string(),
  previous: z.string().optional(),
  why: z.enum(SIGNING_KEY_CAUSES),
  /** Who ordered it. */
  by: z.string().optional(),
  /** A key that others may have: nothing that it ever signed is to be believed. Verifiers are told by the revoker. */
  compromised: z.string().optional(),
};

export const targetAccountRotated = {
  service: z.enum(SERVICES),
  target: z.string(),
  /** The account's name there. */
  account: z.string(),
  why: z.enum(['schedule', 'order']),
  /** Who ordered it. */
  by: z.string().optional(),
};
