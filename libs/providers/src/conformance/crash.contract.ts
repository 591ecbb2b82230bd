/**
 * A process that dies in the middle of a create, a cut or a clean: after each answer of the target that it waits for. Whatever it left
 * behind, another process cuts it, cleans it, and proves that it is gone.
 */
import type { Plan } from '../provider.js';
import type { Process } from './harness.contract.js';
import { DoomedProcess } from './doomed-process.contract.js';
import type { Verb } from './doomed-main.contract.js';
import type { Kit } from './kit.contract.js';

const WHOSE: Record<Verb, Process> = { create: 'broker', cut: 'revoker', clean: 'revoker' };
const VERBS = Object.keys(WHOSE) as Verb[];
const KILLS_WITHIN_MS = 600_000;
/** More answers than these nobody waits for: it would not end. */
const MOST_ANSWERS = 200;

/** @returns whether the process died before it was finished */
type Death = (verb: Verb, plan: Plan, nth: number) => Promise<boolean>;

export function describeCrash(kit: Kit): void {
  if (kit.features.wired !== true) return;

  /** For the target it is the same whether a process dies or is never heard of again. */
  const vanishes: Death = async (verb, plan, nth) => {
    const wired = await kit.openWired();
    const adapter = wired[WHOSE[verb]];
    // What it opens once is open then.
    await adapter.observe(plan);
    let isDead = false;
    wired.wire.afterAnswer(nth, () => {
      isDead = true;
      wired.wire.down(true);
    });
    try {
      await adapter[verb](plan);
    } catch {
      // As it should, where it is dead.
    }
    await wired.close();
    return isDead;
  };

  const isKilled: Death = async (verb, plan, nth) => {
    const wired = await kit.openWired();
    try {
      const settings = kit.wiredTarget.settings(WHOSE[verb], wired.wire.port);
      const doomed = await DoomedProcess.start(settings, plan);
      wired.wire.afterAnswer(nth, () => doomed.kill());
      return !(await doomed.does(verb));
    } finally {
      await wired.close();
    }
  };

  const diesAt = async (nth: number, verb: Verb, dies: Death): Promise<boolean> => {
    const plan = kit.harness.plan();
    const session = verb === 'create' ? null : await kit.harness.login(await kit.created(plan));
    if (verb === 'clean') await kit.cutProven(plan);
    const isDead = await dies(verb, plan, nth);
    await kit.endsForGood(plan);
    if (session === null) return isDead;
    await expect(session.use()).rejects.toThrow();
    await session.close().catch(() => undefined);
    return isDead;
  };

  const diesAtEach = async (verb: Verb, dies: Death): Promise<number> => {
    for (let nth = 1; nth <= MOST_ANSWERS; nth += 1) if (!(await diesAt(nth, verb, dies))) return nth - 1;
    throw new Error('it waits for ever more answers');
  };

  describe.each(VERBS)('a process that dies in a %s', (verb) => {
    it(
      'leaves nothing that another cannot end, whichever answer it has not heard',
      async () => {
        expect(await diesAtEach(verb, vanishes)).toBeGreaterThan(0);
      },
      KILLS_WITHIN_MS,
    );

    it(
      'leaves nothing that another cannot end, killed with SIGKILL',
      async () => {
        if (kit.scale.kills === 'first') expect(await diesAt(1, verb, isKilled)).toBe(true);
        else expect(await diesAtEach(verb, isKilled)).toBeGreaterThan(0);
      },
      KILLS_WITHIN_MS,
    );
  });
}
