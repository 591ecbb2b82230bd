import type { NotifiedType } from '#events/notified-types.js';

/** What has happened, for people, in at most 150 characters. */
export const TITLES: Record<NotifiedType, string> = {
  'approval.requested': 'A call waits for an approval',
  'approval.granted': 'A person has approved a call',
  'approval.refused': 'An approval was refused',
  'approval.expired': 'An approval has expired',
  'approval.withdrawn': 'An approval was withdrawn',
  'break_glass.used': 'Break-glass: an operator has approved a call alone',
  'task.suspended': 'A task is suspended',
  'drift.signalled': 'Drift: a task does something else than was declared',
};
