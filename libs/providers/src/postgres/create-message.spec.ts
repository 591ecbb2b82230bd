import { Secret } from '../secret.js';
import { createMessage } from './create-message.js';
import { scramVerifier } from './scram-verifier.js';

const secret = new Secret('correct-horse');
const plan = {
  leaseId: '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88',
  principal: 'kdev01jdba979ffgrrp7jf18p6tzm8',
  rights: ['pol_a', 'pol_b'],
  createByMs: Date.parse('2026-03-01T10:00:10.000Z'),
  createBy: '2026-03-01T10:00:10.000Z',
  validUntil: '2026-03-01T10:02:05.000Z',
  keepFenceUntil: '2026-03-02T11:00:00.000Z',
};
const earlier = {
  ...plan,
  leaseId: '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e89',
  principal: 'kdev01jdba979ffgrrp7jf18p6tzm9',
  createByMs: Date.parse('2026-03-01T10:00:09.000Z'),
  createBy: '2026-03-01T10:00:09.000Z',
};
const verifier = scramVerifier(secret, 1, Buffer.alloc(16));
const message = createMessage(
  [
    { plan, verifier },
    { plan: earlier, verifier },
  ],
  'mayfly_issuer_3',
  2_500.4,
);

it('is one transaction that ends in its only commit', () => {
  expect(message.startsWith('BEGIN;')).toBe(true);
  expect(message.match(/COMMIT/g)).toHaveLength(1);
  expect(message.endsWith(';\nCOMMIT')).toBe(true);
});

it('makes a role with a verifier and an end, and members without SET', () => {
  expect(message).toContain('CREATE ROLE "kdev01jdba979ffgrrp7jf18p6tzm8" LOGIN INHERIT NOSUPERUSER');
  expect(message).toContain("VALID UNTIL '2026-03-01T10:02:05.000Z'");
  expect(message).toContain('GRANT "pol_a" TO "kdev01jdba979ffgrrp7jf18p6tzm8" WITH INHERIT TRUE, SET FALSE');
  expect(message).toContain('GRANT "pol_b" TO "kdev01jdba979ffgrrp7jf18p6tzm8" WITH INHERIT TRUE, SET FALSE');
});

it('bounds its locks and its time', () => {
  expect(message).toContain('SET LOCAL lock_timeout = 1000;');
  expect(message).toContain('SET LOCAL statement_timeout = 2501;');
  expect(message).toContain("set_config('transaction_timeout', '2501', true)");
});

it('holds the verifier and never the secret', () => {
  expect(message).toContain("PASSWORD 'SCRAM-SHA-256$1:");
  expect(message).not.toContain(secret.reveal());
});

it('makes all of them as one creator, which it becomes unless it is that already', () => {
  expect(message.match(/'role'/g)).toHaveLength(1);
  expect(message).toContain(
    "SELECT set_config('role', 'mayfly_issuer_3', false) WHERE current_user <> 'mayfly_issuer_3'",
  );
});

it('holds all to the earliest createBy', () => {
  expect(message).toContain("clock_timestamp() >= '2026-03-01T10:00:09.000Z'");
});
