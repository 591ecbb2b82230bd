/**
 * A target that answers slowly, half, or not at all. A create is one request on the wire, whatever becomes of its answer; nothing is
 * claimed that was not seen; and once the target can be reached again, a cut proves what is true by then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError } from '../provider.js';
import { expectNoAccess, type Kit, type Wired } from './kit.contract.js';
import type { Mishap } from './wire.contract.js';

const SLOW_MS = 25;
/** Longer than any adapter waits for an answer, and no sooner over than that. */
const MUTE_WITHIN_MS = 180_000;
/** A client that resends of its own accord does so by then. */
const RESENT_BY_MS = 250;
const NO_ANSWER = { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
const LOST: [string, Mishap][] = [
  ['is cut off', 'answer_cut'],
  ['comes half', 'answer_cut_in_half'],
];

export function describeOutages(kit: Kit): void {
  if (kit.features.wired !== true) return;
  /** It could not be asked, and says so. */
  const expectUnreachable = (error: unknown): void => {
    expect(error).toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
  };

  describe('a create whose answer', () => {
    it.each(LOST)('%s is not sent again, and not claimed', async (_what, mishap) => {
      await kit.withWire(async ({ wire, broker }) => {
        const plan = kit.harness.plan();
        wire.trap(plan.principal, mishap);
        expect(await broker.create(plan)).toEqual(NO_ANSWER);
        await sleep(RESENT_BY_MS);
        expect(wire.requests(plan.principal)).toBe(1);
        await kit.endsForGood(plan);
      });
    });
  });

  it('answers none to a create of which the target heard half', async () => {
    await kit.withWire(async ({ wire, broker }) => {
      const plan = kit.harness.plan();
      wire.trap(plan.principal, 'request_cut');
      expect(await broker.create(plan)).toEqual(NO_ANSWER);
      await kit.nothingThere(plan);
      await kit.endsForGood(plan);
    });
  });

  describe.each(LOST)('where an answer %s', (_what, mishap) => {
    it('a cut proves nothing, or what is so', async () => {
      await kit.withWire(async ({ wire, revoker }) => {
        const plan = kit.harness.plan();
        const credential = await kit.created(plan);
        wire.trap(plan.principal, mishap);
        const cut = await revoker.cut(plan).catch((error: unknown) => error);
        if (cut instanceof Error) expectUnreachable(cut);
        else await expect(kit.harness.login(credential)).rejects.toThrow();
        await kit.endsForGood(plan);
      });
    });

    it('a look says unknown, or what is so', async () => {
      await kit.withWire(async ({ wire, revoker }) => {
        const plan = kit.harness.plan();
        await kit.created(plan);
        wire.trap(plan.principal, mishap);
        expect(['unknown', 'live']).toContain((await revoker.observe(plan)).state);
        await kit.endsForGood(plan);
      });
    });

    it('a clean can be made again', async () => {
      await kit.withWire(async ({ wire, revoker }) => {
        const plan = kit.harness.plan();
        await kit.created(plan);
        await kit.cutProven(plan);
        wire.trap(plan.principal, mishap);
        const cleaned = await revoker.clean(plan).catch((error: unknown) => error);
        if (cleaned instanceof Error) expectUnreachable(cleaned);
        await kit.endsForGood(plan);
      });
    });
  });

  it(
    'waits for no answer for ever, and claims nothing without one',
    async () => {
      await kit.withWire(async ({ wire, broker, revoker }) => {
        const [created, live, dead] = [kit.harness.plan(), kit.harness.plan(), kit.harness.plan()];
        await kit.created(live);
        await kit.created(dead);
        await kit.cutProven(dead);
        await warm({ broker, revoker }, kit);
        wire.mute();

        const later = new Date(Date.now() + 60_000).toISOString();
        const [create, renewal, cut, seen, cleaned] = await Promise.all([
          broker.create(created),
          broker.renew(live, later),
          revoker.cut(live).catch((error: unknown) => error),
          revoker.observe(live),
          revoker.clean(dead).catch((error: unknown) => error),
        ]);

        expect(create).toEqual(NO_ANSWER);
        expect(wire.requests(created.principal)).toBeLessThanOrEqual(1);
        expect(renewal).toEqual(NO_ANSWER);
        expect(seen).toMatchObject({ state: 'unknown', sessions: null });
        expectUnreachable(cut);
        expectUnreachable(cleaned);
        for (const plan of [created, live, dead]) await kit.endsForGood(plan);
      });
    },
    MUTE_WITHIN_MS,
  );

  it('is patient with a target that is slow', async () => {
    await kit.withWire(async ({ wire, broker, revoker }) => {
      wire.delay(SLOW_MS);
      const plan = kit.harness.plan();
      const created = await broker.create(plan);
      expect(created.answer).toBe('created');
      const report = await revoker.cut(plan);
      expect(report.emptyObservations).toBeGreaterThanOrEqual(2);
      expectNoAccess(report.observation);
      expect((await revoker.clean(plan)).state).toBe('absent');
    });
  });

  it('goes on by itself once the target can be reached again', async () => {
    await kit.withWire(async ({ wire, broker, revoker }) => {
      const plan = kit.harness.plan();
      await warm({ broker, revoker }, kit);
      wire.down(true);
      expect(await broker.create(plan)).toEqual(NO_ANSWER);
      expectUnreachable(await revoker.cut(plan).catch((error: unknown) => error));
      wire.down(false);
      const next = kit.harness.plan();
      await reachable({ broker, revoker }, kit);
      expect((await broker.create(next)).answer).toBe('created');
      for (const each of [plan, next]) expectNoAccess((await revoker.cut(each)).observation);
      for (const each of [plan, next]) await kit.endsForGood(each);
    });
  });
}

type Adapters = Pick<Wired, 'broker' | 'revoker'>;

/** What an adapter opens once and keeps is open. */
async function warm({ broker, revoker }: Adapters, kit: Kit): Promise<void> {
  const plan = kit.harness.plan();
  await broker.create(plan);
  await revoker.cut(plan);
  await revoker.clean(plan);
}

/** A client may wait a little before it connects again. */
async function reachable({ broker, revoker }: Adapters, kit: Kit): Promise<void> {
  while ((await broker.create(kit.harness.plan())).answer === 'none') await sleep(20);
  while ((await revoker.observe(kit.harness.plan())).state === 'unknown') await sleep(20);
}
