/** A PostgreSQL server of a test's own, for what cannot be done to a server that others use as well. */
export interface OwnPostgres {
  /** The superuser's. It stays the same. */
  url: string;
  /** Ends it and starts it again. Resolves once it takes connections. */
  restart(): Promise<void>;
  /** Copies its data folder, while it stands still. Resolves to what puts the copy back. */
  backUp(): Promise<() => Promise<void>>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** A PostgreSQL of this machine: its programs are in `bin`. */
export interface InstalledPostgres {
  major: number;
  bin: string;
}

/** Those of this machine besides ours, the lowest major first. */
export function findPostgres(): InstalledPostgres[];

/**
 * @param options.durable false unless told: fast, and ended as an accident would
 * @param options.other instead of ours
 */
export function startOwnPostgres(options?: {
  durable?: boolean;
  other?: InstalledPostgres;
}): Promise<OwnPostgres>;
