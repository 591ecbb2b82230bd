import type { Database } from '#store/database.js';

/** What the HTTP routes read from. */
export class AuditLog {
  constructor(readonly db: Database) {}
}
