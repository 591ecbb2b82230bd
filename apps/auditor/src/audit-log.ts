import type { Database } from '#store/database.js';
import type { LeafKeys } from './leaf/entry.js';
import { projectId } from './leaf/project.js';
import type { Cursors } from './query/cursor.js';
import type { Names } from './query/translate.js';

/** What the HTTP routes read from. */
export class AuditLog {
  /** Under which names somebody stands in leaves. */
  readonly names: Names;

  constructor(
    readonly db: Database,
    /** By which what stands in a leaf is recognised. */
    readonly keys: LeafKeys,
    readonly cursors: Cursors,
  ) {
    this.names = {
      idOf: (id) => projectId(id, keys),
      personOf: (id) => keys.pseudonyms.person(id),
    };
  }
}
