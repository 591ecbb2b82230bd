/** A downstream service that takes tokens, as far as a measurement needs one: its verifier, fed by the bus, and the agent's requests. */
import { dpopProof } from '../dist/libs/agent/src/dpop-proof.js';
import { openEnvelope } from '../dist/libs/agent/src/open-envelope.js';
import { ensureServiceKeys } from '../dist/libs/identity/src/development/service-keys.js';
import { loadPeerKeys } from '../dist/libs/identity/src/records.js';
import { IssuerKeys } from '../dist/libs/verifier/src/issuer-keys.js';
import { RevocationFeed } from '../dist/libs/verifier/src/revocation-feed.js';
import { createVerifier } from '../dist/libs/verifier/src/verifier.js';
import { ANALYST, WITH_A_TOKEN } from './sample-world.mjs';

const WITHIN_MS = 30_000;
const METHOD = 'GET';
const PATH = '/orders';

export class Resource {
  /** How often its feed has read something. */
  reads = 0;
  #told = [];

  static async open(world) {
    const resource = new Resource();
    const { broker } = world.stack.addresses;
    const peers = await loadPeerKeys(await ensureServiceKeys(world.stateDir, { MAYFLY_ENV: 'development' }));
    resource.world = world;
    resource.keys = await IssuerKeys.open({ url: `${broker}/.well-known/jwks.json` });
    resource.feed = await RevocationFeed.open({ log: world.bus, peers, onRead: () => resource.#read() });
    return resource;
  }

  /** A call whose answer is a token. @returns it, with whose it is */
  async token(taskId) {
    const { envelope, callId } = await this.world.call(taskId, WITH_A_TOKEN);
    const asked = { taskId, callId, agent: ANALYST };
    const { token } = await openEnvelope(envelope, this.world.sealKey, asked);
    const text = token.reveal();
    const claims = JSON.parse(Buffer.from(text.split('.')[1], 'base64url').toString());
    this.verifier ??= createVerifier({
      issuer: claims.iss,
      audience: claims.aud,
      keys: this.keys,
      life: this.feed,
    });
    return { text, audience: claims.aud };
  }

  /** One request of the agent, with a proof of its own, as the verifier gets it. */
  request({ text, audience }) {
    const url = new URL(PATH, audience.startsWith('http') ? audience : 'http://127.0.0.1').href;
    return {
      method: METHOD,
      url,
      authorization: `DPoP ${text}`,
      dpop: dpopProof(this.world.analyst.key, { method: METHOD, url, token: text }, Date.now()),
      ...WITH_A_TOKEN,
    };
  }

  /** Resolves once the feed knows enough to let anybody through. */
  async ready() {
    await this.#until(() => this.feed.know(Date.now()).knows);
  }

  /** @throws Error where a token that is good is refused */
  async accepts(token) {
    const verdict = await this.verifier.check(this.request(token));
    if (!verdict.ok) throw new Error(`a good token was refused: ${verdict.code}`);
  }

  /**
   * Does what ends access, and asks the verifier after everything that its feed reads. The proofs are the agent's, and made before.
   * @param act resolves with when it was acknowledged
   * @returns how long after that the verifier refuses the token for being dead. @throws Error when it never does
   */
  async refusedAfterMs(token, act) {
    let [request, seen] = [this.request(token), this.reads];
    const acknowledgedMs = await act();
    for (;;) {
      if (this.reads === seen) await this.#nextRead();
      seen = this.reads;
      if ((await this.verifier.check(request)).code === 'ERR_TOKEN_REVOKED')
        return performance.now() - acknowledgedMs;
      request = this.request(token);
    }
  }

  #read() {
    this.reads += 1;
    for (const tell of this.#told.splice(0)) tell();
  }

  async #nextRead() {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing was told')), WITHIN_MS);
      this.#told.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #until(condition) {
    while (!condition()) await this.#nextRead();
  }

  async close() {
    await this.feed.close();
    await this.keys.close();
  }
}
