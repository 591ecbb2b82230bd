/**
 * What every adapter must do that tells of standing access (`target-survey.ts`), as tests. Its spec calls `describeStandingAccess` with a harness
 * for a real target.
 */
import type { GovernedAction, StandingAccess } from '#events/standing-access.js';
import type { TellsStandingAccess } from './target-survey.js';

export interface StandingHarness {
  /** With the login of the revoker. */
  source: TellsStandingAccess;
  /** The same kind, where nothing answers. */
  unreachable: TellsStandingAccess;
  /** At least one action that reads. */
  governed: readonly GovernedAction[];
  /** Makes an account of somebody else's that does what the first reading action does, and never ends. */
  giveAccess(account: string): Promise<void>;
  /** Makes one that can do nothing that is governed. */
  giveNothing(account: string): Promise<void>;
  /** Takes away what `giveAccess` gave; the account stays. */
  takeAway(account: string): Promise<void>;
  drop(account: string): Promise<void>;
  /** Makes a principal for a lease, with the same right. @returns its name */
  lend(): Promise<string>;
  /** Mayfly's own accounts at the target. */
  own: readonly string[];
  /** A name that does harm where it is not quoted, if the target allows any. */
  hostileName: string;
  close(): Promise<void>;
}

export function describeStandingAccess(name: string, open: () => Promise<StandingHarness>): void {
  describe(`${name} tells of standing access`, () => {
    let harness: StandingHarness;
    const made = new Set<string>();
    beforeAll(async () => {
      harness = await open();
    });
    afterEach(async () => {
      for (const account of made) await harness.drop(account);
      made.clear();
    });
    afterAll(() => harness.close());

    const seen = async (governed = harness.governed): Promise<Map<string, StandingAccess>> => {
      const found = new Map<string, StandingAccess>();
      for await (const each of harness.source.standingAccess(governed)) {
        expect(found.has(each.principal)).toBe(false);
        found.set(each.principal, each);
      }
      return found;
    };
    const account = async (wanted: string, gives: 'access' | 'nothing'): Promise<string> => {
      made.add(wanted);
      await (gives === 'access' ? harness.giveAccess(wanted) : harness.giveNothing(wanted));
      return wanted;
    };
    const reading = () => {
      const first = harness.governed.find(({ reads }) => reads);
      if (first === undefined) throw new Error('the harness governs nothing that is read');
      return first;
    };

    it('an account that can do what is governed: what it reaches, how, and that it never ends', async () => {
      const old = await account('standing_old', 'access');

      const found = (await seen()).get(old);

      expect(found).toMatchObject({ principal: old, neverExpires: true });
      const { dataset, action } = reading();
      expect(found?.reaches.find((reach) => reach.dataset === dataset)?.actions).toContain(action);
      expect(found?.how.length).toBeGreaterThan(0);
    });

    it('not of one that can do nothing that is governed', async () => {
      const idle = await account('standing_idle', 'nothing');
      expect((await seen()).has(idle)).toBe(false);
    });

    it('not of what we lent, nor of our own accounts', async () => {
      const principal = await harness.lend();
      const found = await seen();
      for (const ours of [principal, ...harness.own]) expect(found.has(ours)).toBe(false);
    });

    it('no more, once it is taken away', async () => {
      const old = await account('standing_old', 'access');
      await harness.takeAway(old);
      expect((await seen()).has(old)).toBe(false);
    });

    it('the same, each time', async () => {
      const old = await account('standing_old', 'access');
      const [once, again] = [await seen(), await seen()];
      expect(again.get(old)).toEqual(once.get(old));
    });

    it('with lines that would take it away, on one line each, whatever the name', async () => {
      const hostile = await account(harness.hostileName, 'access');
      const remedy = (await seen()).get(hostile)?.remedy ?? [];
      expect(remedy.length).toBeGreaterThan(0);
      for (const line of remedy) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    });

    it('of nobody where nothing is governed', async () => {
      const old = await account('standing_old', 'access');
      expect((await seen([])).has(old)).toBe(false);
    });

    it('never half of it: where nothing answers, it fails', async () => {
      const look = async () => {
        for await (const each of harness.unreachable.standingAccess(harness.governed)) void each;
      };
      await expect(look()).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
    });
  });
}
