/** Somebody who was authenticated may not order this, or ordered it of what is not known: that is to be seen later. */
import { NO_ONE_TASK, type OrderScope } from '#events/order-events.js';
import type { EventOf } from '#events/outbound.js';
import type { OrderRefusal } from '#events/revocation-order.js';
import type { UnsignedRecord } from '#store/outbox.js';
import { credentialRecord } from '../publish.js';

interface Asked {
  order: 'revoke' | 'reinstate';
  scope: OrderScope;
  subject: string | null;
  by: string;
}

export function rejectedRecord(
  { order, scope, subject, by }: Asked,
  { code, reason }: OrderRefusal,
  nowMs: number,
): UnsignedRecord {
  const event: EventOf<'revocation.order_rejected'> = {
    type: 'revocation.order_rejected',
    data: {
      ...{ taskId: NO_ONE_TASK, generation: 0, actor: by, at: new Date(nowMs).toISOString() },
      ...{ order, scope, ...(subject === null ? {} : { subject }), by, code, reason },
    },
  };
  return credentialRecord(event, nowMs);
}
