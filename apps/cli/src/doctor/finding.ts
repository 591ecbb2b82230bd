/** One thing that `mayfly doctor` looked at. A `warn` is worth mending; with a `fail`, Mayfly does not work or is not safe. */
export interface Finding {
  status: 'ok' | 'warn' | 'fail';
  /** What was looked at. */
  what: string;
  /** What was seen. */
  seen: string;
  /** What to do about it. */
  fix?: string;
}

export const ok = (what: string, seen: string): Finding => ({ status: 'ok', what, seen });
export const warn = (what: string, seen: string, fix: string): Finding => ({
  status: 'warn',
  what,
  seen,
  fix,
});
export const fail = (what: string, seen: string, fix: string): Finding => ({
  status: 'fail',
  what,
  seen,
  fix,
});

/** The words of an error for a finding: its code or its first line, never a connection string. */
export function wordsOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const line = typeof message === 'string' ? (message.split('\n')[0] ?? '') : '';
  return (
    [typeof code === 'string' ? code : '', line].filter((part) => part !== '').join(': ') || 'unknown error'
  );
}
