/**
 * What was used once, as all brokers know it: each DPoP proof, and with which key an assertion came first. A workload's assertion is
 * fetched from a cache that gives out the same one for minutes, so it may come again; but with the key it came with, or somebody else
 * has it. Whoever asks meanwhile shares the next transaction.
 */
import { transact, type Database } from '#store/database.js';

export interface Use {
  /** Thumbprint of the proof's key, and the proof's own id. */
  jkt: string;
  jti: string;
  /** From then on the proof would be too old anyhow. */
  proofUntilMs: number;
  assertionSha256: string;
  assertionUntilMs: number;
}
export type Used = 'fresh' | 'replayed' | 'of_other_key';

interface Asking {
  use: Use;
  settle: (used: Used) => void;
  fail: (error: unknown) => void;
}

const AT_ONCE = 200;

export class UsedProofs {
  #asking: Asking[] = [];
  #running = false;

  constructor(private readonly db: Database) {}

  /** Resolves once it is committed; what was not `replayed` is used up from then on. */
  async use(use: Use): Promise<Used> {
    return await new Promise((settle, fail) => {
      this.#asking.push({ use, settle, fail });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#asking.length > 0) {
      const batch = this.#asking.splice(0, AT_ONCE);
      try {
        const used = await useAll(
          this.db,
          batch.map(({ use }) => use),
        );
        for (const [index, { settle }] of batch.entries()) settle(used[index] ?? 'replayed');
      } catch (error) {
        for (const { fail } of batch) fail(error);
      }
    }
    this.#running = false;
  }
}

const nameOf = ({ jkt, jti }: Pick<Use, 'jkt' | 'jti'>) => `${jkt} ${jti}`;

async function useAll(db: Database, uses: readonly Use[]): Promise<Used[]> {
  // Of those that are twice among them the first counts; in one order, so that brokers do not wait for each other in a circle.
  const proofs = new Map([...uses].reverse().map((use) => [nameOf(use), use]));
  const assertions = new Map([...uses].reverse().map((use) => [use.assertionSha256, use]));
  const sorted = <T>(of: ReadonlyMap<string, T>) =>
    [...of].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, x]) => x);
  const [fresh, keys] = await transact(db, async (tx) => {
    const ordered = sorted(proofs);
    const first = sorted(assertions);
    return await Promise.all([
      tx.query<{ jkt: string; jti: string }>({
        name: 'use-proofs',
        text: `INSERT INTO used_proof (jkt, jti, expires_at)
                 SELECT jkt, jti, to_timestamp(until / 1000.0) FROM unnest($1::text[], $2::text[], $3::float8[]) AS u(jkt, jti, until)
               ON CONFLICT DO NOTHING RETURNING jkt, jti`,
        values: [
          ordered.map((use) => use.jkt),
          ordered.map((use) => use.jti),
          ordered.map((use) => use.proofUntilMs),
        ],
      }),
      tx.query({
        name: 'bind-assertions',
        text: `INSERT INTO client_assertion (sha256, jkt, expires_at)
                 SELECT sha256, jkt, to_timestamp(until / 1000.0)
                   FROM unnest($1::text[], $2::text[], $3::float8[]) AS u(sha256, jkt, until)
               ON CONFLICT DO NOTHING`,
        values: [
          first.map((use) => use.assertionSha256),
          first.map((use) => use.jkt),
          first.map((use) => use.assertionUntilMs),
        ],
      }),
      // A statement of its own: it sees what another transaction has committed meanwhile.
      tx.query<{ sha256: string; jkt: string }>({
        name: 'keys-of-assertions',
        text: 'SELECT sha256, jkt FROM client_assertion WHERE sha256 = ANY($1::text[])',
        values: [first.map((use) => use.assertionSha256)],
      }),
    ]).then(([used, , bound]) => [used.rows, bound.rows] as const);
  });
  const isFresh = new Set(fresh.map(nameOf));
  const keyOf = new Map(keys.map(({ sha256, jkt }) => [sha256, jkt]));
  return uses.map((use) => {
    if (proofs.get(nameOf(use)) !== use || !isFresh.has(nameOf(use))) return 'replayed';
    return keyOf.get(use.assertionSha256) === use.jkt ? 'fresh' : 'of_other_key';
  });
}
