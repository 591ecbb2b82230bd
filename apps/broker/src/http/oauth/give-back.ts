/**
 * `POST /oauth/revoke` (RFC 7009): an agent gives its token back. The broker cuts nothing: it tells, and the revoker cuts. The answer
 * does not wait for that, and is the same for a token that never was.
 */
import type { IncomingMessage } from 'node:http';
import { serviceSource } from '#events/services.js';
import { transact } from '#store/database.js';
import type { BrokerParts } from '../../broker-parts.js';
import { lockLeases, markCut } from '../../call-rows.js';
import { UnitOfWork } from '../../unit-of-work.js';
import { json, type Reply } from '../reply.js';
import { callerOf, type ClientTrust } from './client.js';
import { readForm } from './form.js';
import type { KnownToken, KnownTokens } from './known-token.js';
import { OAuthError } from './oauth-error.js';

export interface GiveBackParts {
  client: ClientTrust;
  known: KnownTokens;
  parts: BrokerParts;
}

/** @throws OAuthError, TransportError */
export async function giveBack(request: IncomingMessage, given: GiveBackParts): Promise<Reply> {
  const nowMs = Date.now();
  const form = await readForm(request);
  const { id } = callerOf(form, request.headers.authorization, given.client, nowMs);
  const token = form.get('token');
  if (token === undefined) throw new OAuthError('invalid_request', 'ERR_FORM_INVALID', 'there is no token');
  const known = given.known.know(token, nowMs);
  if (known === undefined) return json(200, {});
  if (known.claims.client_id !== id)
    throw new OAuthError(
      'unauthorized_client',
      'ERR_TOKEN_OF_OTHER_CLIENT',
      'the token is of another client',
    );
  await tellReturned(known, given.parts);
  return json(200, {});
}

async function tellReturned({ claims }: KnownToken, { db, relay, instanceId, measures }: BrokerParts) {
  const { jti: leaseId, client_id: agent, lineage } = claims;
  const { queued, told } = await transact(db, async (tx) => {
    const [own] = lineage;
    const [work, leases] = await Promise.all([
      UnitOfWork.begin(tx, { taskIds: own === undefined ? [] : [own.taskId] }),
      lockLeases(tx, [leaseId]),
    ]);
    const found = leases.get(leaseId);
    // Once is enough: from here on no envelope of it is given out again.
    if (found?.lease.state === 'issued' && !found.lease.cutHeard && found.intent.agent === agent) {
      const { taskId, generation, tenant } = found.intent;
      await markCut(tx, [leaseId]);
      work.publish({
        type: 'lease.returned',
        data: {
          ...{ taskId, generation, ...(tenant === undefined ? {} : { tenant }) },
          ...{ actor: serviceSource('broker'), at: new Date(work.nowMs).toISOString() },
          ...{ leaseId, agent },
        },
      });
    }
    return { queued: await work.flush(instanceId), told: work.told };
  });
  measures.count(told);
  void relay.send(queued);
}
