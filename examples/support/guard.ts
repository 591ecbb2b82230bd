/** Everything that a service needs to judge requests, opened and closed together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createIntrospection } from '#verifier/introspection-client.js';
import { IssuerKeys } from '#verifier/issuer-keys.js';
import { RevocationFeed } from '#verifier/revocation-feed.js';
import { createVerifier, type Verifier } from '#verifier/verifier.js';
import type { RunningMayfly } from './running-mayfly.js';

export interface Guard {
  verifier: Verifier;
  close: () => Promise<void>;
}

export interface GuardedService {
  /** Shown by the bus among its clients. */
  name: string;
  /** The service's own name in tokens. */
  audience: string;
  /** Its SPIFFE id, under `verifiers` of its tool in `tools.yaml`: then the broker answers it. */
  id: string;
  resourceMetadata?: string;
}

const ASK_EVERY_MS = 50;

/** Resolves once the guard knows which tokens are dead: until then it would refuse everything. */
export async function openGuard(mayfly: RunningMayfly, service: GuardedService): Promise<Guard> {
  const { name, audience, id, resourceMetadata } = service;
  const identity = mayfly.identity(id);
  // begin open-guard
  const bus = await mayfly.openBus(name);
  const keys = await IssuerKeys.open({ url: `${mayfly.broker}/.well-known/jwks.json` });
  const feed = await RevocationFeed.open({ log: bus, peers: mayfly.peers });
  const introspect = createIntrospection({
    url: `${mayfly.broker}/oauth/introspect`,
    authenticate: async () => ({ headers: { authorization: `Bearer ${await identity('mayfly')}` } }),
  });
  const verifier = createVerifier({
    issuer: mayfly.broker,
    audience,
    keys,
    life: feed,
    // Where the feed does not know, the broker is asked about reads; writes are refused.
    introspect,
    ...(resourceMetadata === undefined ? {} : { resourceMetadata }),
  });
  while (!feed.know().knows) await sleep(ASK_EVERY_MS);
  // end open-guard
  return {
    verifier,
    close: async () => {
      await feed.close();
      keys.close();
      await bus.close();
    },
  };
}
