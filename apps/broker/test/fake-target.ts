/** A target in memory: remembers what it was asked, and answers a create as told, when told. */
import type {
  CreateAnswer,
  CredentialProvider,
  CutReport,
  Observation,
  Plan,
  RenewAnswer,
} from '#providers/provider.js';
import { Secret } from '#providers/secret.js';

/** Of every credential this target makes: nothing but an opened envelope may ever show it. */
export const PASSWORD = 'correct-horse-battery-staple';

export class FakeTarget implements CredentialProvider {
  readonly kind = 'postgres';
  readonly fencing = 'fenced';
  readonly capabilities = {
    naming: 'by_lease',
    expiry: 'new_logins',
    cut: 'ends_sessions',
    list: true,
    renew: true,
    ttl: { minMs: 1_000, maxMs: 3_600_000 },
  } as const;
  /** In order, such as `create` of a lease. */
  readonly asked: { verb: 'create' | 'renew' | 'cut' | 'observe' | 'clean' | 'list'; leaseId: string }[] = [];
  /** What a create is answered. */
  answer: (plan: Plan) => CreateAnswer = created;
  /** What a renewal is answered, where something is there. */
  renewAnswer: () => RenewAnswer = () => ({ answer: 'renewed' });
  /** The latest end that each lease was renewed to. */
  readonly ends = new Map<string, string>();
  readonly #live = new Set<string>();
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  principal(leaseId: string): string {
    return `fake_${leaseId}`;
  }

  /** Answers nobody, until `answerAll`. */
  hang(): void {
    this.#gate = new Promise((resolve) => (this.#open = resolve));
  }

  answerAll(): void {
    this.#open();
    this.#gate = Promise.resolve();
  }

  get creates(): string[] {
    return this.asked.filter(({ verb }) => verb === 'create').map(({ leaseId }) => leaseId);
  }

  async create(plan: Plan): Promise<CreateAnswer> {
    this.asked.push({ verb: 'create', leaseId: plan.leaseId });
    await this.#gate;
    const answer = this.answer(plan);
    if (answer.answer === 'created') this.#live.add(plan.leaseId);
    return answer;
  }

  async renew({ leaseId }: Plan, notAfter: string): Promise<RenewAnswer> {
    this.asked.push({ verb: 'renew', leaseId });
    await this.#gate;
    if (!this.#live.has(leaseId)) return { answer: 'refused', code: 'ERR_LEASE_FENCED' };
    const answer = this.renewAnswer();
    if (answer.answer !== 'refused') this.ends.set(leaseId, notAfter);
    return answer;
  }

  cut({ leaseId }: Plan): Promise<CutReport> {
    this.asked.push({ verb: 'cut', leaseId });
    this.#live.delete(leaseId);
    return Promise.resolve({ observation: this.#look(leaseId), emptyObservations: 2, sessionsEnded: 0 });
  }

  observe({ leaseId }: Plan): Promise<Observation> {
    this.asked.push({ verb: 'observe', leaseId });
    return Promise.resolve(this.#look(leaseId));
  }

  clean({ leaseId }: Plan): Promise<Observation> {
    this.asked.push({ verb: 'clean', leaseId });
    return Promise.resolve(this.#look(leaseId));
  }

  async *list(): AsyncIterable<{ principal: string; leaseId: string }> {
    this.asked.push({ verb: 'list', leaseId: '' });
    for (const leaseId of this.#live)
      yield await Promise.resolve({ principal: this.principal(leaseId), leaseId });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #look(leaseId: string): Observation {
    return {
      state: this.#live.has(leaseId) ? 'live' : 'absent',
      sessions: 0,
      atMs: Date.now(),
      incarnation: 'fake-1',
      nodes: { seen: 1, expected: 1 },
    };
  }
}

export const created = ({ leaseId }: Plan): CreateAnswer => ({
  answer: 'created',
  incarnation: 'fake-1',
  credential: {
    kind: 'postgres',
    connection: {
      host: '127.0.0.1',
      port: 5432,
      database: 'shop',
      user: `fake_${leaseId}`,
      password: new Secret(PASSWORD),
      tls: { mode: 'disable' },
    },
  },
});
