/** How often an adapter tries before it ends a subscription: the same on every bus. */

/** A batch is handed over this often before the subscription ends: 3 s of trying. */
export const BATCH_TRIES = 6;
/** Positions are asked for this often. */
export const RESTORE_TRIES = 6;
const FIRST_PAUSE_MS = 100;

export const backoffMs = (attempt: number) => FIRST_PAUSE_MS * 2 ** (attempt - 1);
