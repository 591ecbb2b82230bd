/**
 * An auditor that is killed in each way, whose database is restarted under load and whose positions are forgotten: the log is whole. Hundreds of
 * kills are the business of `node faults/log-run.mjs`.
 */
import type { LogStep } from '../faults/log-plan.mjs';
import { LogRounds } from '../faults/log-rounds.mjs';

const STEPS: LogStep[] = [
  { kind: 'kill', kills: 1, afterMs: 300 },
  { kind: 'death', kills: 1, point: 'append.before_commit:1' },
  { kind: 'takeover', kills: 1, afterMs: 100 },
  { kind: 'store_restart', kills: 0, how: 'crash', afterMs: 200 },
  { kind: 'pair', kills: 2, afterMs: 200 },
  { kind: 'replay', kills: 1 },
];

it('a log has each record once, and every head that was signed, whatever happened to its auditor', async () => {
  const rounds = await LogRounds.open({ perSecond: 200 });
  try {
    for (const step of STEPS) await rounds.play(step);
    const { found, entries, checkpoints } = await rounds.judge();
    expect({ found, warned: rounds.warnings().length > 0 }).toMatchObject({
      found: { lost: [], duplicated: [], broken: [] },
    });
    expect(entries).toBeGreaterThan(200n);
    expect(checkpoints).toBeGreaterThan(2);
  } finally {
    await rounds.close();
  }
}, 300_000);
