/** What happens to the auditor; see log-plan.mjs. */
export interface LogStep {
  kind: string;
  kills: number;
  point?: string;
  how?: string;
  afterMs?: number;
}

export function logPlan(wanted: { kills: number; restarts: number; seed: number }): LogStep[];
export function nameOfStep(step: LogStep): string;
