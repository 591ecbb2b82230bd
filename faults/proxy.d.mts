/** Between a client and a server; see proxy.mjs. */
export type TrapKind = 'request_cut' | 'answer_cut' | 'answer_swallowed';
export const TRAPS: readonly TrapKind[];

export class Proxy {
  static open(): Promise<Proxy>;
  readonly port: number;
  to(port: number): void;
  trap(trap: { text: string; nth: number; how: TrapKind }): Promise<void>;
  disarm(): void;
  refuse(refuses: boolean): void;
  delay(ms: number): void;
  cut(): void;
  close(): Promise<void>;
}
