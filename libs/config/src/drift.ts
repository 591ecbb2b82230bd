/** `services.broker.drift`: what each signal of drift weighs, and when a task has drifted too far. */
import { z } from 'zod';
import { DRIFT_RULES } from '#events/drift.js';
import { DRIFT_SIGNALS, type DriftSignal } from '#events/drift-signal.js';

const weight = z.int().min(0).max(100);
const weights = Object.fromEntries(
  DRIFT_SIGNALS.map((signal) => [signal, weight.default(DRIFT_RULES.weights[signal])]),
) as Record<DriftSignal, z.ZodDefault<typeof weight>>;

export const driftSchema = z.strictObject({
  /** The score, 0 to 100, at which a task is suspended. */
  suspendAt: z.int().min(1).max(100).default(DRIFT_RULES.suspendAt),
  weights: z.strictObject(weights).prefault({}),
  refusalRate: z
    .strictObject({
      minCalls: z.int().min(1).max(10_000).default(DRIFT_RULES.refusalRate.minCalls),
      percent: z.int().min(1).max(100).default(DRIFT_RULES.refusalRate.percent),
    })
    .prefault({}),
});
