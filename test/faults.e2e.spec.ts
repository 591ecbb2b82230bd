/**
 * Proves by accident that nothing is lost, doubled, left behind or late, on real Kafka and PostgreSQL: each fault point once, and a
 * round or two of lost answers, restarted servers, second instances and second deliveries. Random ones, and many of them, are the
 * business of `npm run faults`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { nameOf, PATIENT_MS, shortSet } from '../faults/plan.mjs';
import { isClean, nothingFound, Rounds, type Found } from '../faults/rounds.mjs';

const root = join(import.meta.dirname, '..');
const SEED = 4;
const set = shortSet();

describe('a round with an accident', () => {
  let rounds: Rounds;
  beforeAll(async () => {
    rounds = await Rounds.open({ lateMs: PATIENT_MS });
  }, 180_000);
  afterAll(() => rounds?.close(), 60_000);

  const how = (found: Found): string[] => (isClean(found) ? [] : rounds.timelineOf(found));

  it.each(set.map((accidents, index) => [accidents.map(nameOf).join('; '), accidents, index] as const))(
    '(%s): each event has one effect, and each lease one end in time',
    async (_, accidents, index) => {
      const later = set.slice(index + 1).flat();
      const next = (service: string) =>
        later.find((accident) => accident.point !== undefined && accident.service === service) ?? null;
      const { happened, found } = await rounds.play(accidents, { seed: SEED + index, next });
      expect({ found, how: how(found) }).toEqual({ found: nothingFound(), how: [] });
      expect(happened).toEqual(accidents);
    },
    240_000,
  );

  it('leaves topics and log that agree, record by record', async () => {
    const found = await rounds.judgeAll();
    expect({ found, how: how(found) }).toEqual({ found: nothingFound(), how: [] });
  }, 240_000);
});

describe('fault points', () => {
  it.each(['broker', 'revoker', 'auditor'])('keep the %s from starting outside development', (service) => {
    const main = join('dist', 'apps', service, 'src', 'main.js');
    const { status, stderr } = spawnSync(process.execPath, [main], {
      cwd: root,
      env: { PATH: process.env['PATH'], MAYFLY_ENV: 'production', MAYFLY_FAULT_POINTS: 'batch.after_commit' },
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stderr).toContain('MAYFLY_FAULT_POINTS is for MAYFLY_ENV=development only');
  });
});
