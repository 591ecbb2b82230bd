import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetFinding } from '#providers/target-finding.js';
import { targetSettings, type TargetSettings } from '#providers/target-settings.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { TargetFitness } from './target-fitness.js';

const at = (id: string, index = 0): TargetSettings =>
  targetSettings.parse({
    id,
    provider: 'postgres',
    maxTtlMs: 900_000,
    connection: { host: '127.0.0.1', port: 5432, database: 'shop', tls: { mode: 'disable' } },
    login: { user: 'mayfly_broker', password: 'never used' },
    namespace: `wt${index}`,
  });
const RIGHT_MISSING: TargetFinding = {
  code: 'ERR_TARGET_RIGHT_MISSING',
  what: 'not so: mayfly_broker reads the fence',
  how: 'run deploy/sample/target/10-rights.sql at the target as a superuser',
};
const AWAY: TargetFinding = { code: 'ERR_TARGET_UNREACHABLE', what: 'no connection', how: 'start it' };
const UNLENT: TargetFinding = {
  code: 'ERR_TARGET_POLICY_ROLE',
  what: 'pol_a cannot be lent',
  how: 'GRANT pol_a',
  right: 'pol_a',
};

/** Targets in memory: what a look finds is what the spec says, and each look is counted. */
class Looks {
  readonly found = new Map<string, TargetFinding[]>();
  readonly logged: Record<string, unknown>[] = [];
  readonly metrics = new Metrics('broker');
  #counts = new Map<string, number>();

  watch(...ids: string[]): TargetFitness {
    return new TargetFitness({
      targets: ids.map((id, index) => at(id, id.startsWith('twin') ? 9 : index)),
      user: 'broker',
      rightsOf: () => ['pol_a', 'pol_b'],
      inspect: ({ id }) => {
        this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
        return Promise.resolve(this.found.get(id) ?? []);
      },
      log: createLog('broker', {
        level: 'debug',
        write: (line) => this.logged.push(JSON.parse(line) as Record<string, unknown>),
      }),
      metrics: this.metrics,
      pace: { wellMs: 2, unwellMs: 1 },
    });
  }

  /** Resolves when a target has been looked at as often again, and what the last look found is known. */
  async more(id: string, looks: number): Promise<void> {
    const until = (this.#counts.get(id) ?? 0) + looks + 1;
    while ((this.#counts.get(id) ?? 0) < until) await sleep(1);
  }
}

describe('targets that are watched', () => {
  let looks: Looks;
  let watch: TargetFitness | undefined;
  beforeEach(() => (looks = new Looks()));
  afterEach(() => watch?.stop());

  function begin(...ids: string[]): TargetFitness {
    watch = looks.watch(...ids);
    watch.begin();
    return watch;
  }

  it('count as fit until they were looked at', () => {
    looks.found.set('shop', [RIGHT_MISSING]);
    watch = looks.watch('shop');

    expect(watch.unfit('shop', ['pol_a'])).toBeNull();
    expect(watch.remarks()).toEqual([]);
  });

  it('are not fit while something is amiss, without a word about others, and are fit again once it was mended', async () => {
    looks.found.set('shop', [RIGHT_MISSING]);
    const targets = begin('shop', 'other');
    await looks.more('shop', 1);
    await looks.more('other', 1);

    expect(targets.unfit('shop', ['pol_a'])).toBe(
      'mayfly lacks a right at the target (ERR_TARGET_RIGHT_MISSING)',
    );
    expect(targets.unfit('other', ['pol_a'])).toBeNull();
    expect(targets.remarks()).toEqual(['target shop is not fit: ERR_TARGET_RIGHT_MISSING']);
    expect(await looks.metrics.text()).toContain('mayfly_target_unfit{target="shop",service="broker"} 1');

    looks.found.set('shop', []);
    await looks.more('shop', 1);
    expect(targets.unfit('shop', ['pol_a'])).toBeNull();
    expect(targets.remarks()).toEqual([]);
    expect(await looks.metrics.text()).toContain('mayfly_target_unfit{target="shop",service="broker"} 0');
  });

  it('are told of once, with what to do, and once more when they are well', async () => {
    looks.found.set('shop', [RIGHT_MISSING]);
    begin('shop');
    await looks.more('shop', 3);
    looks.found.set('shop', []);
    await looks.more('shop', 2);

    expect(looks.logged).toMatchObject([
      { target: 'shop', ...RIGHT_MISSING, msg: 'a target is not fit, and is looked at again' },
      { target: 'shop', msg: 'a target is well again' },
    ]);
  });

  it('stop only what needs the right that cannot be lent', async () => {
    looks.found.set('shop', [UNLENT]);
    const targets = begin('shop');
    await looks.more('shop', 1);

    expect(targets.unfit('shop', ['pol_b'])).toBeNull();
    expect(targets.unfit('shop', ['pol_b', 'pol_a'])).toBe(
      'the right cannot be lent at the target (ERR_TARGET_POLICY_ROLE)',
    );
  });

  it('stop nothing for a right too much, which is told of all the same', async () => {
    looks.found.set('shop', [{ ...RIGHT_MISSING, code: 'ERR_TARGET_RIGHT_TOO_MUCH' }]);
    const targets = begin('shop');
    await looks.more('shop', 2);

    expect(targets.unfit('shop', ['pol_a'])).toBeNull();
    expect(looks.logged).toMatchObject([{ msg: 'something is amiss at a target' }]);
  });

  it('are not fit from the start where two of them would share their principals', async () => {
    const targets = begin('twin-a', 'twin-b', 'other');
    expect(targets.unfit('twin-a', ['pol_a'])).toBe(
      'names at the target that are to be ours are used by somebody else (ERR_TARGET_NAME_TAKEN)',
    );
    await looks.more('twin-b', 2);
    expect(targets.remarks()).toEqual([
      'target twin-a is not fit: ERR_TARGET_NAME_TAKEN',
      'target twin-b is not fit: ERR_TARGET_NAME_TAKEN',
    ]);
    expect(looks.logged).toMatchObject([{ target: 'twin-a' }, { target: 'twin-b' }]);
  });

  it('may be away for one look', async () => {
    const targets = looks.watch('shop');
    watch = targets;
    looks.found.set('shop', [AWAY]);
    const seen: (string | null)[] = [];
    const { found } = looks;
    const original = found.get.bind(found);
    found.get = (id) => {
      seen.push(targets.unfit('shop', ['pol_a']));
      return original(id);
    };
    targets.begin();
    await looks.more('shop', 3);

    expect(seen.slice(0, 3)).toEqual([null, null, 'the target does not answer (ERR_TARGET_UNREACHABLE)']);
  });
});
