/** What every service's store needs beside its work: it is watched, and what nothing asks for any more is taken away. */
import { storeHealth, type StoreHealthParts } from '#store/health.js';
import { Pruner, type PruneRule } from '#store/prune.js';
import { databaseAnswers, outboxIsSent, type Reasons } from './readiness.js';
import type { StopStep } from './stop.js';

export interface Upkeep {
  readiness: readonly Reasons[];
  /** Begins to prune. Requires that the database is known to be no restored one. */
  begin: () => void;
  /** MUST come before connections are closed. */
  drain: StopStep;
}

export function storeUpkeep(parts: StoreHealthParts & { rules: readonly PruneRule[] }): Upkeep {
  const { db, rules, metrics, warn } = parts;
  const health = storeHealth(parts);
  const pruned = metrics.counter({
    name: 'pruned_total',
    help: 'What was taken away because nothing asks for it any more, by rule: tasks with all their rows, else rows.',
    labels: ['rule'],
  });
  const pruner = new Pruner({ db, rules, warn, onPruned: (rule, count) => pruned.inc({ rule }, count) });
  return {
    readiness: [
      outboxIsSent(() => health.outboxOldestMs(), metrics),
      () => health.reasons(),
      databaseAnswers(db),
    ],
    begin: () => pruner.start(),
    drain: {
      what: 'a batch being pruned',
      run: () => Promise.all([pruner.stop(), health.stop()]),
      withinMs: 2_000,
    },
  };
}
