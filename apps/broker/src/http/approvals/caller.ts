/** Who asks: a person who has signed in, or a service by its SVID, with a role in the catalogue. */
import type { IncomingMessage } from 'node:http';
import type { Catalogue, OperatorEntry } from '#events/catalogue.js';
import type { Refusal } from '#events/refusal.js';
import { verifyCaller } from '#identity/caller.js';
import type { Trust } from '#identity/trust.js';
import { bearerTokenOf } from '../bearer.js';

type Caller = { ok: true; id: string } | { ok: false; refusal: Refusal };

/** @throws TransportError ERR_BEARER_MISSING where there is no token at all */
export const callerOf = (request: IncomingMessage, trust: Trust, nowMs: number): Caller =>
  verifyCaller(bearerTokenOf(request), trust, nowMs);

const MAY_READ: readonly OperatorEntry['roles'][number][] = ['approver', 'operator'];

export const mayRead = (id: string, { operators }: Catalogue): boolean =>
  operators.get(id)?.roles.some((role) => MAY_READ.includes(role)) === true;
