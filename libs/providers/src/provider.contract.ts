/**
 * What every provider must do, as tests (protocol rules 1, 4, 7 and 8). An adapter's spec calls `describeProvider` with a harness
 * for a real target, and with what its target can do: it is held to exactly that.
 */
import type { CreateAnswer, Credential, CredentialProvider, Plan } from './provider.js';

export interface TargetFeatures {
  /** A create asks a server, which may not answer. */
  asksServer: boolean;
  /** The target knows its principals: it lists them, and tells one that was never made from one that lives. */
  knowsPrincipals: boolean;
  /** A session goes on without a look at its login, and has to be ended. Otherwise each use is judged anew. */
  keepsSessions: boolean;
  /** A create after the cut is refused. Otherwise what it makes is dead from the start. */
  refusesLateCreate: boolean;
}

export interface ProviderHarness<C extends Credential> {
  /** Two adapters with a login each, as the broker's process and the revoker's have. */
  broker: CredentialProvider;
  revoker: CredentialProvider;
  /** The same kind, where nothing answers. */
  unreachable: CredentialProvider;
  /** A valid plan of a new lease. */
  plan(change?: Partial<Plan>): Plan;
  /** Rejects when the target refuses the login. */
  login(credential: C): Promise<AgentSession>;
  /** The principal whose credential it is. */
  principalIn(credential: C): string;
  /** Starts a create and holds it at the target, before it lands, until `release`. Where creates are refused late. */
  holdCreate?(plan: Plan): Promise<{ answer: Promise<CreateAnswer>; release: () => Promise<void> }>;
  close(): Promise<void>;
}

export interface AgentSession {
  /** Something the plan's rights permit. Rejects when it cannot be done. */
  use(): Promise<unknown>;
  /** Something they do not permit. Rejects when it cannot be done. */
  overreach(): Promise<unknown>;
  close(): Promise<void>;
}

export function describeProvider<C extends Credential>(
  name: string,
  features: TargetFeatures,
  open: () => Promise<ProviderHarness<C>>,
): void {
  /** What a target cannot do is not asked of it: such a case is none, rather than a skipped one. */
  const itIf = (feature: boolean) => (title: string, run: () => Promise<void>) => {
    if (feature) it(title, run);
  };
  describe(`${name} as a provider`, () => {
    let harness: ProviderHarness<C>;
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());

    const created = async (plan: Plan): Promise<C> => {
      const answer = await harness.broker.create(plan);
      if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
      return answer.credential as C;
    };
    const nothingThere = async (plan: Plan) => {
      if (features.knowsPrincipals) expect((await harness.revoker.observe(plan)).state).toBe('absent');
    };
    const withSession = async (credential: C, act: (session: AgentSession) => Promise<void>) => {
      const session = await harness.login(credential);
      try {
        await act(session);
      } finally {
        await session.close();
      }
    };

    describe('create', () => {
      it('gives the rights of the plan and no others', async () => {
        await withSession(await created(harness.plan()), async (session) => {
          await expect(session.use()).resolves.toBeDefined();
          await expect(session.overreach()).rejects.toThrow();
        });
      });

      it('names the principal after its lease, the same every time', async () => {
        const plan = harness.plan();
        const credential = await created(plan);
        expect(harness.principalIn(credential)).toBe(plan.principal);
        expect(harness.revoker.principal(plan.leaseId)).toBe(plan.principal);
      });

      it('refuses a second create of the same lease and leaves the first secret valid', async () => {
        const plan = harness.plan();
        const credential = await created(plan);
        expect((await harness.broker.create(plan)).answer).toBe('refused');
        await withSession(credential, async (session) => void (await session.use()));
      });

      it('lets exactly one of two creates at once through', async () => {
        const plan = harness.plan();
        const answers = await Promise.all([harness.broker.create(plan), harness.broker.create(plan)]);
        expect(answers.map(({ answer }) => answer).toSorted()).toEqual(['created', 'refused']);
      });

      it('is refused once createBy has passed', async () => {
        const plan = harness.plan({ createBy: new Date(Date.now() - 1_000).toISOString() });
        expect(await harness.broker.create(plan)).toEqual({
          answer: 'refused',
          code: 'ERR_CREATE_TOO_LATE',
        });
        await nothingThere(plan);
      });

      itIf(features.asksServer)('answers none where nothing answers', async () => {
        const answer = await harness.unreachable.create(harness.plan());
        expect(answer).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
      });

      it('refuses a plan whose names it cannot trust', async () => {
        const plan = harness.plan();
        const hostile: Partial<Plan>[] = [
          { rights: ['a"; DROP TABLE x; --'] },
          { rights: ["a'"] },
          { rights: ['ä'] },
          { rights: [''] },
          { rights: [] },
          { principal: 'admin' },
          { leaseId: "x'" },
          { target: 'elsewhere' },
          { notAfter: "2026-01-01' --" },
        ];
        for (const change of hostile) {
          expect(await harness.broker.create({ ...plan, ...change })).toEqual({
            answer: 'refused',
            code: 'ERR_PLAN_INVALID',
          });
        }
        await nothingThere(plan);
      });
    });

    describe('renew', () => {
      const soon = () => new Date(Date.now() + 1_000).toISOString();
      const later = () => new Date(Date.now() + 60_000).toISOString();
      const pastFirstEnd = () => new Promise((resolve) => setTimeout(resolve, 1_100));
      const renewed = async (plan: Plan, credential: C, notAfter = later()): Promise<C> => {
        const answer = await harness.broker.renew(plan, notAfter);
        if (answer.answer !== 'renewed') throw new Error(`not renewed: ${answer.code}`);
        return (answer.credential ?? credential) as C;
      };

      it('lets what was lent be used past its first end, with the same rights and no others', async () => {
        const plan = harness.plan({ notAfter: soon() });
        const credential = await renewed(plan, await created(plan));
        await pastFirstEnd();
        expect(harness.principalIn(credential)).toBe(plan.principal);
        await withSession(credential, async (session) => {
          await expect(session.use()).resolves.toBeDefined();
          await expect(session.overreach()).rejects.toThrow();
        });
      });

      it('may be repeated, and twice at once', async () => {
        const plan = harness.plan();
        const credential = await created(plan);
        const notAfter = new Date(Date.now() + 180_000).toISOString();
        await Promise.all([renewed(plan, credential, notAfter), renewed(plan, credential, notAfter)]);
        const last = await renewed(plan, credential, notAfter);
        await withSession(last, async (session) => void (await session.use()));
      });

      it('is cut like what was not renewed', async () => {
        const plan = harness.plan();
        const credential = await renewed(plan, await created(plan));
        const report = await harness.revoker.cut(plan);
        expect(report.observation).toMatchObject({ state: 'disabled', sessions: 0 });
        await expect(harness.login(credential)).rejects.toThrow();
      });

      it('brings nothing back after a cut, nor after a clean', async () => {
        const plan = harness.plan();
        const credential = await created(plan);
        await harness.revoker.cut(plan);
        for (const clean of [false, true]) {
          if (clean) await harness.revoker.clean(plan);
          const answer = await harness.broker.renew(plan, later());
          if (features.refusesLateCreate)
            expect(answer).toEqual({ answer: 'refused', code: 'ERR_LEASE_FENCED' });
          const got = answer.answer === 'renewed' ? ((answer.credential ?? credential) as C) : credential;
          await expect(harness.login(got)).rejects.toThrow();
          expect((await harness.revoker.observe(plan)).state).not.toBe('live');
        }
      });

      it('is refused once the lease is over', async () => {
        const plan = harness.plan();
        await created(plan);
        const over = { ...plan, notAfter: new Date(Date.now() - 1).toISOString() };
        expect(await harness.broker.renew(over, later())).toEqual({
          answer: 'refused',
          code: 'ERR_RENEWAL_TOO_LATE',
        });
      });

      it('is refused past the hard end, and past what the target allows', async () => {
        const plan = harness.plan();
        await created(plan);
        const refused = { answer: 'refused', code: 'ERR_PLAN_INVALID' };
        const pastHardEnd = new Date(Date.parse(plan.hardEnd) + 1).toISOString();
        expect(await harness.broker.renew(plan, pastHardEnd)).toEqual(refused);
        const day = { ...plan, hardEnd: new Date(Date.now() + 86_400_000).toISOString() };
        expect(await harness.broker.renew(day, day.hardEnd)).toEqual(refused);
        expect(await harness.broker.renew(plan, "2026-01-01' --")).toEqual(refused);
      });

      itIf(features.knowsPrincipals)('makes nothing where nothing is', async () => {
        const plan = harness.plan();
        expect(await harness.broker.renew(plan, later())).toEqual({
          answer: 'refused',
          code: 'ERR_LEASE_FENCED',
        });
        await nothingThere(plan);
      });

      itIf(features.asksServer)('answers none where nothing answers', async () => {
        const answer = await harness.unreachable.renew(harness.plan(), later());
        expect(answer).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
      });
    });

    describe('cut', () => {
      it('takes the login away from what another login created', async () => {
        const plan = harness.plan();
        const credential = await created(plan);
        const report = await harness.revoker.cut(plan);
        expect(report.observation).toMatchObject({ state: 'disabled', sessions: 0 });
        expect(report.emptyObservations).toBeGreaterThanOrEqual(2);
        await expect(harness.login(credential)).rejects.toThrow();
      });

      it('ends an open session', async () => {
        const plan = harness.plan();
        await withSession(await created(plan), async (session) => {
          await session.use();
          const report = await harness.revoker.cut(plan);
          const sessionsEnded = features.keepsSessions ? 1 : 0;
          expect(report).toMatchObject({ sessionsEnded, observation: { sessions: 0 } });
          await expect(session.use()).rejects.toThrow();
        });
      });

      it('cannot be outrun by a client that keeps logging in', async () => {
        const plan = harness.plan();
        const credential = await created(plan);
        const state = { stop: false };
        const client = keepLoggingIn(harness, credential, state);
        await client.firstLogin;
        const report = await harness.revoker.cut(plan);
        expect(report.emptyObservations).toBeGreaterThanOrEqual(2);
        const loginsAtCut = client.logins();
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(client.logins()).toBe(loginsAtCut);
        expect(await harness.revoker.observe(plan)).toMatchObject({ state: 'disabled', sessions: 0 });
        state.stop = true;
        await client.done;
      });

      it('can be repeated, and run twice at once', async () => {
        const plan = harness.plan();
        await created(plan);
        const reports = await Promise.all([harness.revoker.cut(plan), harness.revoker.cut(plan)]);
        reports.push(await harness.revoker.cut(plan));
        for (const { observation, emptyObservations } of reports) {
          expect(observation.state).toBe('disabled');
          expect(emptyObservations).toBeGreaterThanOrEqual(2);
        }
      });

      itIf(features.refusesLateCreate)('refuses a create that comes after it', async () => {
        const plan = harness.plan();
        const report = await harness.revoker.cut(plan);
        expect(report.observation.state).toBe('absent');
        expect(await harness.broker.create(plan)).toEqual({ answer: 'refused', code: 'ERR_LEASE_FENCED' });
        expect((await harness.revoker.observe(plan)).state).toBe('absent');
      });

      itIf(!features.refusesLateCreate)('leaves a create that comes after it of no use', async () => {
        const plan = harness.plan();
        const report = await harness.revoker.cut(plan);
        expect(report.emptyObservations).toBeGreaterThanOrEqual(2);
        await expect(harness.login(await created(plan))).rejects.toThrow();
      });

      itIf(features.refusesLateCreate)('refuses a create that was under way and lands after it', async () => {
        const plan = harness.plan();
        if (harness.holdCreate === undefined) throw new Error('the harness holds no creates');
        const held = await harness.holdCreate(plan);
        const report = await harness.revoker.cut(plan);
        expect(report.observation.state).toBe('absent');
        await held.release();
        expect((await held.answer).answer).not.toBe('created');
        expect((await harness.revoker.observe(plan)).state).toBe('absent');
      });

      it('rejects where nothing answers', async () => {
        await expect(harness.unreachable.cut(harness.plan())).rejects.toMatchObject({
          name: 'ProviderError',
          code: 'ERR_TARGET_UNREACHABLE',
        });
      });
    });

    describe('observe', () => {
      it('sees a principal come, work and go', async () => {
        const plan = harness.plan();
        await nothingThere(plan);
        await withSession(await created(plan), async () => {
          const sessions = features.keepsSessions ? 1 : 0;
          expect(await harness.revoker.observe(plan)).toMatchObject({ state: 'live', sessions });
        });
        const { observation } = await harness.revoker.cut(plan);
        expect(await harness.revoker.observe(plan)).toMatchObject({
          state: 'disabled',
          sessions: 0,
          incarnation: observation.incarnation,
        });
      });

      it('says unknown where nothing answers', async () => {
        expect(await harness.unreachable.observe(harness.plan())).toMatchObject({
          state: 'unknown',
          sessions: null,
        });
      });
    });

    describe('clean', () => {
      it('removes what was cut, and may be repeated', async () => {
        const plan = harness.plan();
        await created(plan);
        await harness.revoker.cut(plan);
        expect(await harness.revoker.clean(plan)).toMatchObject({ state: 'absent', sessions: 0 });
        expect(await harness.revoker.clean(plan)).toMatchObject({ state: 'absent', sessions: 0 });
      });

      it('keeps the fence: the lease cannot be created again', async () => {
        const plan = harness.plan();
        await created(plan);
        await harness.revoker.cut(plan);
        await harness.revoker.clean(plan);
        const again = await harness.broker.create(plan);
        expect(again.answer).toBe('refused');
        if (features.refusesLateCreate) expect(again).toHaveProperty('code', 'ERR_LEASE_FENCED');
      });

      it('does not remove what was not cut', async () => {
        const plan = harness.plan();
        await created(plan);
        await expect(harness.revoker.clean(plan)).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
        expect((await harness.revoker.observe(plan)).state).toBe('live');
      });
    });

    itIf(features.knowsPrincipals)('lists its principals with their leases', async () => {
      const [first, second] = [harness.plan(), harness.plan()];
      await created(first);
      await created(second);
      const listed = new Map<string, string>();
      for await (const { principal, leaseId } of harness.revoker.list()) listed.set(principal, leaseId);
      expect(listed.get(first.principal)).toBe(first.leaseId);
      expect(listed.get(second.principal)).toBe(second.leaseId);
    });
  });
}

function keepLoggingIn<C extends Credential>(
  harness: ProviderHarness<C>,
  credential: C,
  state: { stop: boolean },
) {
  let logins = 0;
  let first = () => {};
  const firstLogin = new Promise<void>((resolve) => {
    first = resolve;
  });
  const loop = async () => {
    while (!state.stop) {
      try {
        const session = await harness.login(credential);
        await session.use();
        logins++;
        first();
        await session.close();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  return { firstLogin, logins: () => logins, done: Promise.all([loop(), loop(), loop()]) };
}
