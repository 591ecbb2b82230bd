/** Everything of one installation, up and running; see stack.mjs. */
import type { Parts } from './parts.mjs';

export type Service = 'broker' | 'revoker' | 'auditor' | 'signer';
export type Part = 'kafka' | 'postgres' | 'target' | Service;

/** A port as the environment gives it: 0 asks for any free one; an explicit one that is in use is an error. */
export interface PortChoice {
  variable: string;
  wanted: number;
  explicit: boolean;
}

export interface StackOptions {
  /** The clone, built. */
  root: string;
  /** Real path of a folder that PostgreSQL's account can enter, and whose lock the caller holds. */
  stateDir: string;
  /** Where Kafka's jars and a copy of PostgreSQL's binaries are kept; the state folder unless told. */
  cacheDir?: string;
  /** KAFKA_BROKERS and DATABASE_URL are used when set; the services inherit the rest. */
  env: NodeJS.ProcessEnv;
  ports: Record<Part, PortChoice>;
  /** False for tests: PostgreSQL is fast, and lost with the machine. True unless told. */
  durable?: boolean;
  /** For throw-away stacks: a helper process ends all parts and removes these folders even after a SIGKILL of this process. */
  reaper?: { remove: string[] } | null;
  /** Told of progress, and of each part's address once it is ready. */
  say?: (part: string, text: string) => void;
  /** Told of a part that ended though nobody asked it to. */
  onDeath?: (child: DeadPart) => void;
  /** Which port clients, or one service, are to use for a server: another than its own where something stands between. */
  through?: (server: 'kafka' | 'postgres' | 'target', port: number, service?: Service) => number;
  /** Further environment of a service. */
  besides?: (service: Service) => Record<string, string>;
}

/** A process of the stack, as `startChild` returns it. */
export interface Child {
  kill(signal: NodeJS.Signals): void;
  stop(graceMs?: number): Promise<Ending>;
  /** Null while it runs. */
  end(): Ending | null;
  exited: Promise<Ending>;
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface DeadPart {
  name: string;
  logFile: string;
  /** Where its part of the log begins, in bytes. */
  logFrom: number;
  end(): { code: number | null; signal: NodeJS.Signals | null };
}

/** What the parts of a stack are opened with. */
export type StackContext = Required<StackOptions> & {
  parts: Parts;
  logFile(part: Part): string;
  /** The embedded ones. `again` starts one on its port, with its data. */
  servers: Map<string, { child: Child; again(): Promise<unknown> }>;
};

/** What `run/addresses.json` holds. */
export interface Addresses {
  broker: string;
  revoker: string;
  auditor: string;
  signer: string;
  console: string | null;
  /** `host:port[,…]`; null where the bus is in PostgreSQL. */
  kafka: string | null;
  postgres: { host: string; port: number; database: string };
  target: { host: string; port: number; database: string };
  pid: number;
}

export class Stack {
  constructor(options: StackOptions);
  readonly stateDir: string;
  /** Connection strings: the administrator's of the database `mayfly`, the superuser's of the target. */
  readonly urls: { database: string; target: string };
  readonly addresses: Addresses;
  /** Where the state folder keeps a part's log. */
  logFile(part: Part): string;
  /** Brings everything up, or stops what it had started and throws. */
  open(): Promise<void>;
  /** Starts a service, at first or again after `kill`, on the port it had, with more environment if told. Resolves once it is ready. */
  start(service: Service, more?: NodeJS.ProcessEnv): Promise<void>;
  /** Ends a service with a signal, as an accident would (SIGKILL unless told). Resolves once it is gone, with how it ended. */
  kill(service: Service, signal?: NodeJS.Signals): Promise<Ending>;
  /**
   * Starts one more instance of a service, on another port; `start`, `kill` and `addresses` mean it from now on.
   * @returns the one before, which still runs; its end is nobody's failure
   */
  double(service: Service): Promise<Child>;
  /** Ends an embedded server with a signal, and starts it again on its port, with its data, once `ended` has resolved. */
  restart(
    server: 'kafka' | 'postgres' | 'target',
    signal: NodeJS.Signals,
    ended?: () => Promise<unknown>,
  ): Promise<void>;
  /** A further child process that ends with the stack; its end is nobody's failure. */
  attach(child: unknown): Promise<void>;
  /** Ends everything; the state folder stays. */
  stop(): Promise<void>;
}
