/** Everything that a service needs to judge requests, opened and closed together. */
import { setTimeout as sleep } from 'node:timers/promises';
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
  resourceMetadata?: string;
}

const ASK_EVERY_MS = 50;

/** Resolves once the guard knows which tokens are dead: until then it would refuse everything. */
export async function openGuard(mayfly: RunningMayfly, service: GuardedService): Promise<Guard> {
  const { name, audience, resourceMetadata } = service;
  // begin open-guard
  const bus = await mayfly.openBus(name);
  const keys = await IssuerKeys.open({ url: `${mayfly.broker}/.well-known/jwks.json` });
  const feed = await RevocationFeed.open({ log: bus, peers: mayfly.peers });
  const verifier = createVerifier({
    issuer: mayfly.broker,
    audience,
    keys,
    life: feed,
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
