/**
 * Who sent a webhook, by Standard Webhooks 1.0: HMAC-SHA256 under a secret that both sides have, over id, time of the attempt and body.
 * Requires an id without a full stop.
 */
import { createHmac, type KeyObject } from 'node:crypto';

export interface Attempt {
  id: string;
  /** Of the attempt, not of the event. */
  atMs: number;
  body: string;
}

export function signatureHeaders({ id, atMs, body }: Attempt, key: KeyObject): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
