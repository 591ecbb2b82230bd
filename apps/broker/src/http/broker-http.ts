/** What answers requests at the broker, put together once. */
import type { IncomingMessage } from 'node:http';
import type { Broker } from '../broker.js';
import type { BrokerParts } from '../broker-parts.js';
import { EventRequests } from './event-requests.js';

export interface BrokerHttp {
  events: EventRequests;
}

export interface BrokerHttpParts {
  parts: BrokerParts;
  broker: Broker;
  isPrivate: (request: IncomingMessage) => boolean;
  answerWithinMs?: number;
}

export function openHttp({ parts, broker, isPrivate, answerWithinMs }: BrokerHttpParts): BrokerHttp {
  const waiting = answerWithinMs === undefined ? {} : { answerWithinMs };
  return { events: new EventRequests({ parts, pump: broker.requests, isPrivate, ...waiting }) };
}
