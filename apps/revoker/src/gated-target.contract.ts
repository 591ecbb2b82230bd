/** A target at which no cut comes to an end before it is let go: dead while its gate is closed, and quick once that is open. */
import {
  ProviderError,
  type CredentialProvider,
  type CutReport,
  type Observation,
} from '#providers/provider.js';

export interface GatedTarget extends CredentialProvider {
  /** Leases in the order in which their cuts began. */
  readonly begun: readonly string[];
  /** All cuts, present and to come, end well. */
  open: () => void;
  /** Those under way end without an answer. */
  fail: () => void;
}

interface Held {
  done: () => void;
  failed: (error: Error) => void;
}

export function gatedTarget(): GatedTarget {
  const begun: string[] = [];
  let held: Held[] = [];
  let isOpen = false;
  const letGo = (each: (one: Held) => void) => {
    const all = held;
    held = [];
    all.forEach(each);
  };
  return {
    kind: 'postgres',
    fencing: 'fenced',
    begun,
    open: () => {
      isOpen = true;
      letGo(({ done }) => done());
    },
    fail: () => letGo(({ failed }) => failed(new ProviderError('ERR_TARGET_UNREACHABLE', 'target is away'))),
    principal: (leaseId) => leaseId,
    create: () => Promise.resolve({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' }),
    renew: () => Promise.resolve({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' }),
    cut: async ({ leaseId }): Promise<CutReport> => {
      begun.push(leaseId);
      if (!isOpen) await new Promise<void>((done, failed) => held.push({ done, failed }));
      return { observation: seen('disabled'), emptyObservations: 2, sessionsEnded: 0 };
    },
    observe: () => Promise.resolve(seen('absent')),
    clean: () => Promise.resolve(seen('absent')),
    list: () => nobody(),
    close: () => Promise.resolve(),
  };
}

async function* nobody(): AsyncGenerator<{ principal: string; leaseId: string }> {
  yield* await Promise.resolve([]);
}

const seen = (state: Observation['state']): Observation => ({
  state,
  sessions: 0,
  atMs: Date.now(),
  incarnation: 'one',
  nodes: { seen: 1, expected: 1 },
});
