/** A receiver of Mayfly's notifications, with Node alone: signed as Standard Webhooks 1.0 says. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';

const TOLERANCE_S = 300;
const MAX_BODY_BYTES = 262_144;

/** As far as this receiver reads it; there is more. */
export interface Notification {
  type: string;
  id: string;
  taskId: string;
  agent?: string;
  approval?: { id: string; expiresAt: string };
}

// begin verify-webhook
/** @param body the bytes as they came. @returns undefined for what Mayfly did not send, or not lately */
export function verifyWebhook(
  secret: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
  nowMs: number,
): Notification | undefined {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    String(headers[`webhook-${name}`] ?? ''),
  ) as [string, string, string];
  if (!/^\d+$/.test(timestamp)) return undefined;
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > TOLERANCE_S) return undefined;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const isOurs = signatures.split(' ').some((each) => {
    const given = Buffer.from(/^v1,(.*)$/.exec(each)?.[1] ?? '', 'base64');
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  return isOurs ? (JSON.parse(body.toString('utf8')) as Notification) : undefined;
}
// end verify-webhook

// begin receive-webhook
/** @param tell people; what it rejects is sent again */
export function webhookServer(secret: string, tell: (notification: Notification) => Promise<void>): Server {
  // Yours are in a database: a notification may come again after a restart, too.
  const told = new Set<string>();
  const take = async (request: IncomingMessage): Promise<number> => {
    const body = await bytesOf(request);
    const notification = body && verifyWebhook(secret, request.headers, body, Date.now());
    if (notification === undefined) return 401;
    if (!told.has(notification.id)) await tell(notification);
    told.add(notification.id);
    return 204;
  };
  return createServer((request, response) => {
    const answered = take(request).catch(() => 503);
    void answered.then((status) => response.writeHead(status).end());
  });
}
// end receive-webhook

/** @returns undefined for what is too long */
async function bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
