/** A task in which one agent acts, with what is seen of drift folded, as the broker does it. */
import { decideCall, type CallDecided } from '../src/call.js';
import type { CallFacts } from '../src/call-facts.js';
import { decideDrift, DRIFT_RULES, type DriftRules } from '../src/drift.js';
import type { DriftSignal } from '../src/drift-signal.js';
import type { ToolCalled } from '../src/inbound.js';
import type { EventOf } from '../src/outbound.js';
import { evolve, type Task } from '../src/task.js';
import { ANALYST, call, callFacts, NOW, openTask, sender } from './fixture.js';

/** Rules with some other weights. */
export const weighing = (weights: Partial<Record<DriftSignal, number>>, suspendAt = 100): DriftRules => ({
  ...DRIFT_RULES,
  weights: { ...DRIFT_RULES.weights, ...weights },
  suspendAt,
});

export class Drifting {
  readonly told: (EventOf<'drift.signalled'> | EventOf<'task.suspended'>)[] = [];
  task: Task;
  nowMs = NOW;

  constructor(
    readonly rules: DriftRules = DRIFT_RULES,
    task: Task = openTask(),
  ) {
    this.task = task;
  }

  /** The agent asks. @returns what was decided */
  asks(change: Partial<ToolCalled> = {}, facts: Partial<CallFacts> = {}, by = ANALYST): CallDecided {
    const decided = decideCall(
      call(change),
      sender(by),
      callFacts({
        ...{ task: this.task, nowMs: this.nowMs, watch: { rules: this.rules, saidAtMs: this.nowMs } },
        ...facts,
      }),
    );
    if (decided.is === 'rejected') throw new Error(`the call was rejected: ${decided.refusal.code}`);
    this.task = evolve(this.task, decided.decided);
    const { signals = [], agent, callId, causedBy } = decided.decided.data;
    this.#tell(decideDrift(this.task, { signals, agent, callId, causedBy }, this));
    return decided;
  }

  /** A signal was seen, wherever. */
  shows(signal: DriftSignal, agent = ANALYST): void {
    const at = new Date(this.nowMs).toISOString();
    const data = { ...sender(agent), rows: 0, agent, at, signals: [signal] };
    this.task = evolve(this.task, { type: 'task.usage_reported', data });
    this.#tell(decideDrift(this.task, { signals: [signal], agent }, this));
  }

  get score(): number {
    return this.task.drift?.score ?? 0;
  }

  /** Signals of the agent, with how often they were seen. */
  get seen(): Partial<Record<DriftSignal, number>> {
    return Object.fromEntries((this.task.drift?.signals ?? []).map(({ signal, count }) => [signal, count]));
  }

  #tell(events: ReturnType<typeof decideDrift>): void {
    this.told.push(...events);
    this.task = events.reduce(evolve, this.task);
  }
}
