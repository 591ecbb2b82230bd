import type { Database } from '#store/database.js';
import type { LeafKeys } from './leaf/entry.js';

/** What the HTTP routes read from. */
export class AuditLog {
  constructor(
    readonly db: Database,
    /** By which what stands in a leaf is recognised. */
    readonly keys: LeafKeys,
  ) {}
}
