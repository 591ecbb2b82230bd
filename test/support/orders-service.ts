/** The service behind the sample's `orders.api`, as far as its verifier goes: fed by the bus, asked about requests that nobody sends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MayflyClient } from '../../apps/cli/src/mayfly-client.js';
import { dpopProof } from '#agent/dpop-proof.js';
import type { ProofKey } from '#agent/proof-key.js';
import type { Bus } from '#bus/bus.js';
import { openBus } from '#bus/open-bus.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { loadPeerKeys } from '#identity/records.js';
import { IssuerKeys } from '#verifier/issuer-keys.js';
import { RevocationFeed } from '#verifier/revocation-feed.js';
import { createVerifier, type Verdict, type Verifier, type VerifierOptions } from '#verifier/verifier.js';
import { startTask, WITHIN_MS } from './sample-client.js';
import type { TestStack } from './stack.mjs';

export const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';
/** As the catalogue has it. */
const AUDIENCE = 'http://127.0.0.1:7080';
const ORDERS = { tool: 'orders.api', dataset: 'orders' };
const ASK_EVERY_MS = 20;

/** A token in the hands of the agent to whom it was lent. */
export interface LentToken {
  taskId: string;
  text: string;
  key: ProofKey;
  /** The one that it is for. */
  action: 'read' | 'write';
}

/** @returns its id */
export const startOrdersTask = (client: MayflyClient): Promise<string> =>
  startTask(client, {
    agents: [{ id: EXECUTOR }],
    declared: [{ ...ORDERS, actions: ['read', 'write'] }],
  });

export async function lendToken(
  client: MayflyClient,
  taskId: string,
  action: LentToken['action'],
): Promise<LentToken> {
  const { credential } = await client.call({ ...ORDERS, taskId, action }, EXECUTOR, WITHIN_MS);
  if (credential.kind !== 'jwt') throw new Error(`a credential of kind ${credential.kind} came`);
  return { taskId, text: credential.token.reveal(), key: await client.proofKey(taskId, EXECUTOR), action };
}

export class OrdersService {
  readonly #verifier: Verifier;

  private constructor(
    readonly feed: RevocationFeed,
    private readonly bus: Bus,
    private readonly keys: IssuerKeys,
    private readonly issuer: string,
  ) {
    this.#verifier = this.#verifierWith({});
  }

  /** Resolves once it knows enough to let anybody through. @param kafka another way there than everybody's */
  static async open(stack: TestStack, kafka = stack.addresses.kafka): Promise<OrdersService> {
    const { broker } = stack.addresses;
    if (kafka === null) throw new TypeError('the bus of this stack is not Kafka');
    const peers = await loadPeerKeys(await ensureServiceKeys(stack.stateDir, { MAYFLY_ENV: 'development' }));
    const bus = await openBus({ kafka: { brokers: [kafka] } }, 'orders-service');
    const keys = await IssuerKeys.open({ url: `${broker}/.well-known/jwks.json` });
    const feed = await RevocationFeed.open({ log: bus, peers });
    const service = new OrdersService(feed, bus, keys, broker);
    await until(() => feed.know().knows);
    return service;
  }

  /** What the service makes of one request of the agent, with a proof of its own. */
  async verdictOn(lent: LentToken, options?: Partial<VerifierOptions>): Promise<Verdict> {
    const { text, key, action } = lent;
    const [method, url] = [action === 'read' ? 'GET' : 'POST', `${AUDIENCE}/orders`];
    const verifier = options === undefined ? this.#verifier : this.#verifierWith(options);
    const dpop = dpopProof(key, { method, url, token: text }, Date.now());
    return await verifier.check({ method, url, authorization: `DPoP ${text}`, dpop, ...ORDERS, action });
  }

  /** `accepted`, or the code. */
  async says(lent: LentToken, options?: Partial<VerifierOptions>): Promise<string> {
    const verdict = await this.verdictOn(lent, options);
    return verdict.ok ? 'accepted' : verdict.code;
  }

  async close(): Promise<void> {
    await this.feed.close();
    this.keys.close();
    await this.bus.close();
  }

  #verifierWith(options: Partial<VerifierOptions>): Verifier {
    return createVerifier({
      issuer: this.issuer,
      audience: AUDIENCE,
      keys: this.keys,
      life: this.feed,
      ...options,
    });
  }
}

/** Asks until it is so. @returns how long that took, ms */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = WITHIN_MS): Promise<number> {
  const since = performance.now();
  while (!(await isSo())) {
    if (performance.now() - since > withinMs) throw new Error(`not so within ${withinMs} ms`);
    await sleep(ASK_EVERY_MS);
  }
  return performance.now() - since;
}
