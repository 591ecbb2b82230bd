/** What must be true of the target once all leases of a round have ended. Pure: what was seen there in, findings out. */

/** How long after its end, or after what was lost is back, a lease may give access. */
export const LATE_MS = 5_000;

/**
 * @param {object} seen
 * @param {{ taskId: string, leaseId: string, principal: string, endedAtMs: number }[]} seen.leases all of the round
 * @param {readonly string[]} seen.existing principals of ours that are there
 * @param {readonly string[]} seen.usable those that can log in, or are logged in
 * @param {(principal: string) => number | undefined} seen.lastUsableAtMs when one was last seen to be of use
 * @param {number} seen.backAtMs when everything that had been lost was back
 * @returns {{ orphans: string[], late: string[] }}
 */
export function judgeTarget({ leases, existing, usable, lastUsableAtMs, backAtMs }) {
  const late = leases.flatMap(({ taskId, leaseId, principal, endedAtMs }) => {
    const overMs = (lastUsableAtMs(principal) ?? 0) - Math.max(endedAtMs, backAtMs);
    return overMs > LATE_MS ? [`task ${taskId}: lease ${leaseId} was of use ${overMs} ms too long`] : [];
  });
  return {
    orphans: [
      ...existing.map((principal) => `${principal} is still at the target`),
      ...usable.map((principal) => `${principal} can still be used`),
    ],
    late,
  };
}
