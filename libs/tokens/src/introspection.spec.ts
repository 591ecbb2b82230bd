import { expect, it } from '@jest/globals';
import { CLAIMS, NOW_MS } from '../test/samples.js';
import { introspectionReply } from './introspection.js';

it('a live token is told with its actors, its key and what it grants', () => {
  const reply = introspectionReply(CLAIMS, 'live', NOW_MS);
  const { status: _status, ...said } = CLAIMS;
  expect(reply).toEqual({ active: true, token_type: 'DPoP', ...said });
});

it.each([
  ['was revoked', CLAIMS, 'dead', NOW_MS],
  ['is of a lease nobody knows about', CLAIMS, 'unknown', NOW_MS],
  ['has expired', CLAIMS, 'live', CLAIMS.exp * 1000],
  ['was no token', undefined, 'live', NOW_MS],
] as const)('of a token that %s nothing is told', (_what, claims, state, nowMs) => {
  expect(introspectionReply(claims, state, nowMs)).toEqual({ active: false });
});
