/** Mayfly said no, and recorded why. */

export class Refused extends Error {
  override readonly name = 'Refused';
  /**
   * @param code one of `REFUSAL_CODES` in `libs/events/src/refusal.ts`, or of a newer Mayfly
   * @param hint what the sender can do about it, where that can be guessed
   */
  constructor(
    readonly code: string,
    readonly reasons: readonly string[],
    readonly hint?: string,
  ) {
    super([...reasons, ...(hint === undefined ? [] : [hint])].join('; '));
  }
}
