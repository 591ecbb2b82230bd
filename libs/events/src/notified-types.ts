/** What people outside the bus are told of. A type that is added here needs a title in `apps/broker/src/notifications/titles.ts`. */
import type { EventOf, OutboundEvent, OutboundType } from './outbound.js';

export const NOTIFIED_TYPES = [
  'approval.requested',
  'approval.granted',
  'approval.refused',
  'approval.expired',
  'approval.withdrawn',
  'break_glass.used',
  'task.suspended',
  'drift.signalled',
] as const satisfies readonly OutboundType[];
export type NotifiedType = (typeof NOTIFIED_TYPES)[number];
export type NotifiedEvent = EventOf<NotifiedType>;

const notified: ReadonlySet<string> = new Set(NOTIFIED_TYPES);
export const isNotified = (event: OutboundEvent): event is NotifiedEvent => notified.has(event.type);
