/** What answers requests at the broker, put together once. */
import type { IncomingMessage } from 'node:http';
import type { LifeSource } from '#verifier/life.js';
import type { Broker } from '../broker.js';
import type { BrokerParts } from '../broker-parts.js';
import { ApprovalRequests } from './approvals/approval-requests.js';
import { AuthzenServer } from './authzen/authzen-server.js';
import { ANSWER_WITHIN_MS } from './call-answer.js';
import { EventRequests } from './event-requests.js';
import { OAuthServer } from './oauth/oauth-server.js';
import { RequestsAtOnce } from './requests-at-once.js';
import { TaskRequests } from './tasks/task-requests.js';

export interface BrokerHttp {
  events: EventRequests;
  approvals: ApprovalRequests;
  tasks: TaskRequests;
  authzen: AuthzenServer;
  /** Null: this broker makes no tokens. */
  oauth: OAuthServer | null;
}

export interface BrokerHttpParts {
  parts: BrokerParts;
  broker: Broker;
  lives: LifeSource;
  isPrivate: (request: IncomingMessage) => boolean;
  answerWithinMs?: number;
}

export function openHttp(given: BrokerHttpParts): BrokerHttp {
  const { parts, broker, lives, isPrivate, answerWithinMs = ANSWER_WITHIN_MS } = given;
  const common = { parts, pump: broker.requests, atOnce: new RequestsAtOnce(), isPrivate, answerWithinMs };
  const { tokens } = parts;
  return {
    events: new EventRequests(common),
    approvals: new ApprovalRequests({ ...common, desk: broker.approvals }),
    tasks: new TaskRequests({ ...common, desk: broker.orders }),
    authzen: new AuthzenServer({ ...common, issuer: tokens?.keys.issuer ?? null }),
    oauth: tokens === null ? null : new OAuthServer({ ...common, tokens, lives }),
  };
}
