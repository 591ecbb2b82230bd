/** Create: strict, once, exactly what the plan says (protocol rule 1). */
import type { Plan } from '../provider.js';
import { itIf, type Kit } from './kit.contract.js';

/** What no target may ever take for a name or a time. */
const HOSTILE: Partial<Plan>[] = [
  { rights: ['a"; DROP TABLE x; --'] },
  { rights: ["a'"] },
  { rights: ['a\\'] },
  { rights: ['a\0b'] },
  { rights: ['a\r\nFLUSHALL\r\n'] },
  { rights: ['ä'] },
  { rights: ['\u0430'] },
  { rights: ['\u202eread'] },
  { rights: ['x'.repeat(1_000)] },
  { rights: [''] },
  { rights: [] },
  { principal: 'admin' },
  { principal: '*' },
  { leaseId: "x'" },
  { leaseId: '../x' },
  { target: 'elsewhere' },
  { createBy: 'soon' },
  { notAfter: "2026-01-01' --" },
  { notAfter: '2026-02-30T00:00:00Z\n' },
  { hardEnd: '' },
];

export function describeCreate(kit: Kit): void {
  const { features } = kit;
  describe('create', () => {
    it('gives the rights of the plan and no others', async () => {
      await kit.withSession(await kit.created(kit.harness.plan()), async (session) => {
        await expect(session.use()).resolves.toBeDefined();
        await expect(session.overreach()).rejects.toThrow();
      });
    });

    for (const { rights, permits, forbids } of features.rights ?? [])
      it(`permits exactly what the plan says: ${rights.join(', ')}`, async () => {
        await kit.withSession(await kit.created(kit.harness.plan({ rights })), async (session) => {
          if (session.act === undefined) throw new Error('the session knows no acts');
          for (const name of permits) await expect(session.act(name)).resolves.toBeDefined();
          for (const name of forbids) await expect(session.act(name)).rejects.toThrow();
        });
      });

    it('names the principal after its lease, the same every time', async () => {
      const { harness } = kit;
      const plan = harness.plan();
      const credential = await kit.created(plan);
      expect(harness.principalIn(credential)).toBe(plan.principal);
      expect(harness.revoker.principal(plan.leaseId)).toBe(plan.principal);
    });

    it('refuses a second create of the same lease and leaves the first secret valid', async () => {
      const plan = kit.harness.plan();
      const credential = await kit.created(plan);
      expect((await kit.harness.broker.create(plan)).answer).toBe('refused');
      await kit.withSession(credential, async (session) => void (await session.use()));
    });

    it('lets exactly one of two creates at once through', async () => {
      const { harness } = kit;
      const plan = harness.plan();
      const answers = await Promise.all([harness.broker.create(plan), harness.broker.create(plan)]);
      expect(answers.map(({ answer }) => answer).toSorted()).toEqual(['created', 'refused']);
    });

    it('is refused once createBy has passed', async () => {
      const plan = kit.harness.plan({ createBy: new Date(Date.now() - 1_000).toISOString() });
      expect(await kit.harness.broker.create(plan)).toEqual({
        answer: 'refused',
        code: 'ERR_CREATE_TOO_LATE',
      });
      await kit.nothingThere(plan);
    });

    it('is refused for longer than the target allows', async () => {
      const { broker } = kit.harness;
      const plan = kit.harness.plan();
      const longest = Date.parse(plan.createBy) + broker.capabilities.ttl.maxMs;
      const end = new Date(longest + 60_000).toISOString();
      expect(await broker.create({ ...plan, notAfter: end, hardEnd: end })).toEqual({
        answer: 'refused',
        code: 'ERR_PLAN_INVALID',
      });
      await kit.nothingThere(plan);
    });

    itIf(features.asksServer)('answers none where nothing answers', async () => {
      const answer = await kit.harness.unreachable.create(kit.harness.plan());
      expect(answer).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
    });

    it('refuses a plan whose names it cannot trust', async () => {
      const plan = kit.harness.plan();
      for (const change of HOSTILE) {
        expect(await kit.harness.broker.create({ ...plan, ...change })).toEqual({
          answer: 'refused',
          code: 'ERR_PLAN_INVALID',
        });
      }
      await kit.nothingThere(plan);
    });
  });
}
