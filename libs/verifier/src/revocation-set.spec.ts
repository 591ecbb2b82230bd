import { createHash } from 'node:crypto';
import { setDigestOf, type RevocationRecord, type RevokedKind } from '#events/revocations.js';
import { RevocationSet } from './revocation-set.js';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

/** The revoker, as far as it is heard: it numbers, sums up, and never forgets by itself. */
class Revoker {
  seq = 0;
  readonly live = new Map<string, Uint8Array>();

  says(what: RevokedKind, id: string, over: Partial<RevocationRecord> = {}) {
    const revocation: RevocationRecord = {
      seq: (this.seq += 1),
      what,
      id,
      generationBelow: null,
      notAfter: new Date(NOW + 60_000).toISOString(),
      reason: 'task_ended',
      ...over,
    };
    const value = Buffer.from(JSON.stringify(revocation));
    this.live.set(`${what}:${id}`, value);
    return { type: 'revocation' as const, revocation, value };
  }

  buries(key: string) {
    this.live.delete(key);
    return { type: 'tombstone' as const, key };
  }

  beats({ atMs = NOW, readUntilMs = NOW }: { atMs?: number; readUntilMs?: number } = {}) {
    const heartbeat = {
      seq: (this.seq += 1),
      at: new Date(atMs).toISOString(),
      inputsReadUpTo: {},
      live: this.live.size,
      setDigest: setDigestOf(sha256, this.live),
    };
    return { type: 'heartbeat' as const, heartbeat, readUntilMs };
  }
}

const token = {
  leaseId: 'L1',
  agent: 'spiffe://corp.example/agent/executor',
  kid: 'K1',
  lineage: [
    { taskId: 'T1', generation: 2 },
    { taskId: 'T0', generation: 1 },
  ],
};

let revoker: Revoker;
let set: RevocationSet;
beforeEach(() => {
  revoker = new Revoker();
  set = new RevocationSet();
});

/** A set that knows: caught up, with a heartbeat of this moment. */
const hearing = () => {
  set.caughtUp();
  set.apply(revoker.beats(), NOW);
  expect(set.know(NOW)).toEqual({ knows: true });
};

describe('what is dead', () => {
  it.each<[RevokedKind, string]>([
    ['lease', 'L1'],
    ['task', 'T1'],
    ['task', 'T0'],
    ['agent', token.agent],
    ['key', 'K1'],
  ])('is a token whose %s %s is', (what, id) => {
    expect(set.isDead(token)).toBe(false);
    set.apply(revoker.says(what, id), NOW);
    expect(set.isDead(token)).toBe(true);
  });

  it('is not a token of another lease, task, agent and key', () => {
    set.apply(revoker.says('lease', 'T1'), NOW);
    set.apply(revoker.says('task', 'L1'), NOW);
    set.apply(revoker.says('agent', 'K1'), NOW);
    set.apply(revoker.says('key', token.agent), NOW);
    expect(set.isDead(token)).toBe(false);
  });

  it('are the generations below, in the task itself and in each ancestor', () => {
    set.apply(revoker.says('task', 'T1', { generationBelow: 2 }), NOW);
    expect(set.isDead(token)).toBe(false);
    set.apply(revoker.says('task', 'T0', { generationBelow: 2 }), NOW);
    expect(set.isDead(token)).toBe(true);
  });

  it('is an agent below its generation, and one of which the token says none', () => {
    set.apply(revoker.says('agent', token.agent, { generationBelow: 2 }), NOW);
    expect(set.isDead({ ...token, agentGeneration: 1 })).toBe(true);
    expect(set.isDead({ ...token, agentGeneration: 2 })).toBe(false);
    expect(set.isDead(token)).toBe(true);
  });
});

describe('records only grow', () => {
  it('a lower generation never replaces a higher one, whatever its seq', () => {
    set.apply(revoker.says('task', 'T1', { generationBelow: 3 }), NOW);
    set.apply(revoker.says('task', 'T1', { generationBelow: 1 }), NOW);
    expect(set.isDead(token)).toBe(true);
  });

  it('nothing replaces the end of everything', () => {
    set.apply(revoker.says('task', 'T1'), NOW);
    set.apply(revoker.says('task', 'T1', { generationBelow: 1 }), NOW);
    expect(set.isDead(token)).toBe(true);
  });

  it('of one key a decreasing seq is refused, and so is one that comes again', () => {
    const old = revoker.says('task', 'T1', { generationBelow: 2 });
    const grown = revoker.says('task', 'T1', { generationBelow: 3 });
    set.apply(grown, NOW);
    const digest = set.digest();
    set.apply(old, NOW);
    set.apply(grown, NOW);
    expect(set.isDead(token)).toBe(true);
    expect(set.digest()).toBe(digest);
    expect(set.passedOver).toBe(2);
  });
});

describe('tombstones', () => {
  it('are refused before the record is over', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.apply(revoker.buries('lease:L1'), NOW + 60_000);
    expect(set.isDead(token)).toBe(true);
    expect(set.passedOver).toBe(1);
  });

  it('take out what is over', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.apply(revoker.buries('lease:L1'), NOW + 60_001);
    expect(set.isDead(token)).toBe(false);
    expect(set.size).toBe(0);
    expect(set.digest()).toBe('0'.repeat(64));
  });

  it.each(['lease:L9', 'team:L1', 'heartbeat', ''])('of %j mean nothing', (key) => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.apply({ type: 'tombstone', key }, NOW + 100_000);
    expect(set.size).toBe(1);
  });

  it('may never come: the record goes all the same, a minute after those who would still count it', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    hearing();
    set.apply(revoker.beats(), NOW + 120_000 + 60_000);
    expect(set.size).toBe(1);
    set.apply(revoker.beats(), NOW + 120_000 + 120_001);
    expect(set.size).toBe(0);
  });
});

describe('knowing', () => {
  it('begins with a heartbeat after catching up', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.apply(revoker.beats(), NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'catching_up' });
    set.caughtUp();
    expect(set.know(NOW)).toEqual({ knows: true });
  });

  it('does not begin with a heartbeat older than a record that was read', () => {
    set.apply(revoker.beats(), NOW);
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.caughtUp();
    expect(set.know(NOW)).toEqual({ knows: false, why: 'silent' });
  });

  it('does not begin with a heartbeat that was held back until everything else had been read', () => {
    const heldBack = revoker.beats();
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.caughtUp();
    set.apply(heldBack, NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'silent' });
  });

  it('ends after 3 s of silence, and says at once what is dead for all that', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    hearing();
    expect(set.know(NOW + 3_000)).toEqual({ knows: true });
    expect(set.know(NOW + 3_001)).toEqual({ knows: false, why: 'silent' });
    expect(set.isDead(token)).toBe(true);
  });

  it('is not had from heartbeats that waited in a queue, nor from a clock that is far off', () => {
    hearing();
    set.apply(revoker.beats({ atMs: NOW - 5_001 }), NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'silent' });
    set.apply(revoker.beats({ atMs: NOW + 5_001 }), NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'silent' });
    set.apply(revoker.beats({ atMs: NOW - 4_999 }), NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
  });

  it('is not had from a heartbeat heard before: its seq does not rise', () => {
    hearing();
    const early = revoker.beats();
    set.apply(revoker.beats(), NOW + 1_000);
    set.apply(early, NOW + 4_000);
    expect(set.know(NOW + 4_001)).toEqual({ knows: false, why: 'silent' });
  });

  it('is not had from a revoker that has not read its inputs', () => {
    hearing();
    set.apply(revoker.beats({ readUntilMs: NOW - 3_001 }), NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'inputs_behind' });
    set.apply(revoker.beats({ readUntilMs: NOW - 3_000 }), NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
  });

  it('ends where a record is missing, and comes back with it', () => {
    hearing();
    const missing = revoker.says('lease', 'L1');
    set.apply(revoker.beats(), NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'digest_differs' });
    set.apply(missing, NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
  });

  it('stands what another process of the revoker said before the heartbeat that does not count it', () => {
    hearing();
    const beat = revoker.beats();
    set.apply(revoker.says('task', 'T1', { generationBelow: 1 }), NOW);
    set.apply(revoker.says('task', 'T1', { generationBelow: 2 }), NOW);
    set.apply(beat, NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
    set.apply(revoker.beats(), NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
  });

  it('ends with a record that the revoker does not count', () => {
    const stranger = new Revoker().says('lease', 'L9');
    set.apply(stranger, NOW);
    set.caughtUp();
    revoker.seq = 1;
    set.apply(revoker.beats(), NOW);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'digest_differs' });
  });

  it('starts again where the topic was made anew', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    hearing();
    set.clear();
    expect(set.know(NOW)).toEqual({ knows: false, why: 'catching_up' });
    const other = (revoker = new Revoker());
    set.apply(other.says('lease', 'L2'), NOW);
    set.caughtUp();
    set.apply(other.beats(), NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
  });
});

describe('more than it may hold', () => {
  beforeEach(() => {
    set = new RevocationSet({ maxRecords: 2 });
  });

  it('is not held, and not forgotten either: it does not know', () => {
    for (const id of ['L1', 'L2', 'L3']) set.apply(revoker.says('lease', id), NOW);
    set.caughtUp();
    set.apply(revoker.beats(), NOW);
    expect(set.size).toBe(2);
    expect(set.know(NOW)).toEqual({ knows: false, why: 'full' });
    expect(set.isDead(token)).toBe(true);
  });

  it('makes room by what is long over', () => {
    set.apply(revoker.says('lease', 'L1'), NOW);
    set.apply(revoker.says('lease', 'L2'), NOW);
    const laterMs = NOW + 60_000 + 120_001;
    set.apply(revoker.says('lease', 'L3'), laterMs);
    expect(set.size).toBe(1);
  });

  it('knows again once the rest is over', () => {
    const over = { notAfter: new Date(NOW - 1_000).toISOString() };
    for (const id of ['L1', 'L2', 'L3']) set.apply(revoker.says('lease', id, over), NOW);
    set.caughtUp();
    set.apply(revoker.beats(), NOW);
    for (const id of ['L1', 'L2', 'L3']) set.apply(revoker.buries(`lease:${id}`), NOW);
    set.apply(revoker.beats(), NOW);
    expect(set.know(NOW)).toEqual({ knows: true });
  });
});
