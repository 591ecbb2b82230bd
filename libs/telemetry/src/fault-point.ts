/**
 * Named places where a process can be made to die, for the tests under `faults/`: it kills itself with SIGKILL, so nothing
 * is flushed, told or undone. Only in development, and only where `MAYFLY_FAULT_POINTS` asks for it; otherwise a point is one
 * comparison with `null`.
 */
export const FAULT_POINTS = [
  /** Any service, any batch of records: its effects and its position are written, not committed. */
  'batch.before_commit',
  'batch.after_commit',
  /** The relay of any service. */
  'relay.before_publish',
  'relay.after_publish',
  'relay.after_delete',
  /** Broker: the intent is on the bus, nothing was sent to the target. */
  'create.before',
  /** Broker: the target has answered, the outcome is not decided. */
  'create.after',
  'outcome.before_commit',
  'outcome.after_commit',
  /** Broker: the intention of a renewal is committed, the target was not asked. */
  'renew.before',
  /** Broker: the target has answered, what the renewal comes to is not decided. */
  'renew.after',
  'renewal.before_commit',
  'renewal.after_commit',
  /** Revoker: an end has made leases due, none is cut. */
  'end.after_commit',
  /** Revoker: fence and NOLOGIN are committed at the target, sessions live. */
  'cut.fenced',
  /** Revoker: access is cut, and nobody has written it down. */
  'cut.after',
  /** Revoker: what attempts came to (`lease.access_cut`, `lease.removed`) is written, not committed. */
  'attempt.before_commit',
  'attempt.after_commit',
  /** Revoker: the principal is gone, and nobody has written it down. */
  'clean.after',
  /** Auditor: entries, tiles and the new head are written, not committed. */
  'append.before_commit',
  'append.after_commit',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

const ENTRY = /^([a-z_]+\.[a-z_]+)(?::([1-9][0-9]{0,5}))?$/;
const isFaultPoint = (name: string): name is FaultPoint => (FAULT_POINTS as readonly string[]).includes(name);

export class FaultPointError extends Error {
  override readonly name = 'FaultPointError';
  constructor(
    readonly code: 'ERR_FAULT_POINTS_UNSAFE' | 'ERR_FAULT_POINTS_INVALID',
    message: string,
  ) {
    super(message);
  }
}

/** How many more passages each point survives. */
let armed: Map<FaultPoint, number> | null = null;

/**
 * Reads `MAYFLY_FAULT_POINTS`: `name[:nth][,…]`, the first passage unless told. Without it nothing is armed. With
 * `MAYFLY_FAULT_POINTS_AFTER=SIGUSR2` passages count from that signal on, so that a start is not among them.
 * @throws FaultPointError when it is set outside development, or names what is no point
 */
export function armFaultPoints(env: NodeJS.ProcessEnv): void {
  armed = null;
  const { MAYFLY_FAULT_POINTS: asked = '' } = env;
  if (asked === '') return;
  if (env['MAYFLY_ENV'] !== 'development')
    throw new FaultPointError(
      'ERR_FAULT_POINTS_UNSAFE',
      'MAYFLY_FAULT_POINTS is for MAYFLY_ENV=development only',
    );
  const points = new Map<FaultPoint, number>();
  for (const entry of asked.split(',')) {
    const [, name = '', nth = '1'] = ENTRY.exec(entry.trim()) ?? [];
    if (!isFaultPoint(name))
      throw new FaultPointError(
        'ERR_FAULT_POINTS_INVALID',
        'MAYFLY_FAULT_POINTS names what is no fault point',
      );
    points.set(name, Number(nth));
  }
  if (env['MAYFLY_FAULT_POINTS_AFTER'] === 'SIGUSR2') process.once('SIGUSR2', () => (armed = points));
  else armed = points;
}

/** A place to die. Does not return where its turn has come. */
export function faultPoint(name: FaultPoint): void {
  if (armed === null) return;
  const left = armed.get(name);
  if (left === undefined) return;
  armed.set(name, left - 1);
  if (left === 1) process.kill(process.pid, 'SIGKILL');
}
