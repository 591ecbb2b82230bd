/**
 * What shows that the behaviour in a task is no longer what was declared. Sets are compared, and nothing is guessed: what was
 * declared, what is requested, what was granted, what is used. A closed list: a signal is given no other meaning once it was told.
 */
export const DRIFT_SIGNALS = [
  /** A call with a tool that is not declared for its agent at all. */
  'call_outside_declaration',
  /** A call with a declared tool, on a dataset that is not declared with it. */
  'dataset_creep',
  /** A call with a declared tool on a dataset declared with it, for another action. */
  'action_creep',
  /** A call that names another objective than the declared one. */
  'objective_changed',
  /** A call that names another model, or version of it, than the agent's calls before. */
  'model_changed',
  /** A call after the task's end; a use reported after it, or later after its lease's end than a report may be under way. */
  'use_after_end',
  /** A lease that had all its time, and whose use nobody reported, in a task in which that agent's uses are reported. */
  'granted_unused',
  /** One more refused call of an agent of whose calls too many are refused. */
  'refusal_rate',
] as const;
export type DriftSignal = (typeof DRIFT_SIGNALS)[number];
