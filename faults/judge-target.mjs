/** What must be true of the targets once all leases of a round have ended. Pure: what was seen there in, findings out. */

/** How long after its end, or after what was lost is back, a lease may give access: unless told otherwise. */
export const LATE_MS = 5_000;

/**
 * @param {object} seen
 * @param {{ taskId: string, leaseId: string, principal: string, endedAtMs: number }[]} seen.leases all of the round
 * @param {readonly string[]} seen.existing principals of ours that are there
 * @param {readonly string[]} seen.usable those that can log in, or are logged in
 * @param {(principal: string) => number | undefined} seen.lastUsableAtMs when one was last seen to be of use
 * @param {readonly { leaseId: string }[]} seen.taken leases whose token services still take
 * @param {number} seen.backAtMs when everything that had been lost was back
 * @param {number} [seen.lateMs]
 * @returns {{ orphans: string[], late: string[], longestMs: number }} `longestMs`: the longest that any lease was of use after that, even if in time
 */
export function judgeTarget({ leases, existing, usable, taken, lastUsableAtMs, backAtMs, lateMs = LATE_MS }) {
  const used = leases.map(({ taskId, leaseId, principal, endedAtMs }) => {
    const overMs = (lastUsableAtMs(principal) ?? 0) - Math.max(endedAtMs, backAtMs);
    return { taskId, leaseId, overMs };
  });
  const late = used
    .filter(({ overMs }) => overMs > lateMs)
    .map(
      ({ taskId, leaseId, overMs }) => `task ${taskId}: lease ${leaseId} was of use ${overMs} ms too long`,
    );
  return {
    orphans: [
      ...existing.map((principal) => `${principal} is still at the target`),
      ...usable.map((principal) => `${principal} can still be used`),
      ...taken.map(({ leaseId }) => `the token of lease ${leaseId} is still taken`),
    ],
    late,
    longestMs: Math.max(0, ...used.map(({ overMs }) => overMs)),
  };
}
