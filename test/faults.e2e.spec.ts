/**
 * Proves by killing that nothing is lost, doubled, left behind or late: each fault point once, on real Kafka and PostgreSQL. Random
 * points, and many of them, are the business of `npm run faults`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { shortSet, type Death } from '../faults/plan.mjs';
import { nothingFound, Rounds } from '../faults/rounds.mjs';

const root = join(import.meta.dirname, '..');
const SEED = 4;
const set = shortSet();
const named = ({ service, point }: Death) => `the ${service} at ${point}`;

describe('kill -9', () => {
  let rounds: Rounds;
  beforeAll(async () => {
    rounds = await Rounds.open();
  }, 180_000);
  afterAll(() => rounds?.close(), 60_000);

  it.each(set.map((deaths, index) => [deaths.map(named).join(', '), deaths, index] as const))(
    'of %s: each event has one effect, and each lease one end in time',
    async (_, deaths, index) => {
      const later = set.slice(index + 1).flat();
      const next = (service: string) => later.find((death) => death.service === service) ?? null;
      const { passed, found } = await rounds.play(deaths, { seed: SEED + index, next });
      expect(found).toEqual(nothingFound());
      expect(passed).toEqual(deaths);
    },
    240_000,
  );

  it('leaves topics and log that agree, record by record', async () => {
    expect(await rounds.judgeAll()).toEqual(nothingFound());
  });
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
