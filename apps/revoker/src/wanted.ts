/** What a unit of work is to read and lock before anything is decided. */
import type { RevocationNotice } from './revocation-rows.js';

export interface Wanted {
  /** Tasks that get a row if they have none. */
  ensure: readonly string[];
  /** Further tasks, if they have one. */
  lock?: readonly string[];
  /** Tasks that may end here: the tasks of all leases under them are locked too. */
  ending?: readonly string[];
  leases?: readonly string[];
  /** Tasks whose ends matter to leases that are heard of. */
  tombstonesOf?: readonly string[];
  /** Whose end verifiers are about to be told. No task may be locked by this transaction afterwards. */
  telling?: readonly Pick<RevocationNotice, 'what' | 'id'>[];
}
