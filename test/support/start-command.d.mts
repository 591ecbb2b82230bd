/** `npm start`, run as a user would, in a state folder of its own. */

export interface StartCommand {
  /** Resolves once that line was printed, alone on a line. @throws when the command ended before */
  printed(line: string): Promise<void>;
  /** Everything on standard output and standard error so far. */
  output(): string;
  /** Sends a signal to the command alone, not to what it started. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves once it ended. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface RecordedProcess {
  name: string;
  pid: number;
}

/** A new state folder, with Kafka's jars from the clone's own. */
export function newStateDir(): Promise<string>;

/**
 * Starts it, without the services that the tests share and on free ports.
 * @param stateDir from newStateDir
 * @param env more environment
 */
export function startCommand(stateDir: string, env?: NodeJS.ProcessEnv): Promise<StartCommand>;

/** Ends whatever still runs on a state folder, and removes it. */
export function removeStateDir(stateDir: string): Promise<void>;

/** The processes that a start has noted in a state folder, and of these the ones that still live. */
export function noted(stateDir: string): RecordedProcess[];
export function living(processes: RecordedProcess[]): Promise<string[]>;
