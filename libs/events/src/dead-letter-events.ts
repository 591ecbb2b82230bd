/** What is said of records that were set aside: members of the events on the credential topic. */
import { z } from 'zod';

/** A parked record: its number at the consumer group that parked it, and where it lies on the bus. */
const letter = {
  group: z.string(),
  letterId: z.string(),
  record: z.object({
    topic: z.string(),
    partition: z.int(),
    offset: z.string(),
    valueSha256: z.string(),
  }),
};

export const deadLetterParked = {
  ...letter,
  why: z.enum(['bug', 'behind']),
  /** Of the error: its code, else its name. */
  code: z.string(),
  /** Later records of its key wait behind it. */
  holds: z.boolean(),
  attempts: z.int().positive(),
  by: z.string().optional(),
  reason: z.string().optional(),
};

export const deadLetterReleased = {
  ...letter,
  how: z.enum(['retried', 'dropped']),
  by: z.string(),
  reason: z.string().optional(),
};
