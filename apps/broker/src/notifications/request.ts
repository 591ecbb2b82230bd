/** A notification as one kind of receiver wants it. Pure: the same again and again, but for the time of the attempt. */
import { unreachable } from '#events/unreachable.js';
import type { Post } from '#service/post-once.js';
import { linksOf } from './links.js';
import type { Notice } from './notice.js';
import type { Receiver } from './receivers.js';
import { slackMessage } from './slack-message.js';
import { signatureHeaders } from './webhook-signature.js';

const JSON_HEADERS = { 'content-type': 'application/json', 'user-agent': 'mayfly' };

/** @param broker its address, as callers reach it */
export function requestOf(
  receiver: Receiver,
  notice: Notice,
  broker: string,
  atMs: number,
): Pick<Post, 'url' | 'headers' | 'body'> {
  const { url } = receiver;
  switch (receiver.kind) {
    case 'webhook': {
      const body = JSON.stringify({ ...notice, links: linksOf(notice, broker) });
      const signed = signatureHeaders({ id: notice.id, atMs, body }, receiver.key);
      return { url, body, headers: { ...JSON_HEADERS, ...signed } };
    }
    case 'slack':
      return { url, body: JSON.stringify(slackMessage(notice, broker)), headers: JSON_HEADERS };
    default:
      return unreachable(receiver);
  }
}
