import { describe, expect, it } from '@jest/globals';
import { DpopNonces } from './dpop-nonce.js';

const KEY = Buffer.alloc(32, 7);
const WINDOW_MS = 120_000;
/** The beginning of a window. */
const NOW_MS = 14_500_000 * WINDOW_MS;
const nonces = new DpopNonces(KEY);

describe('a nonce', () => {
  it.each([
    ['at once', 0, true],
    ['to the end of the next window', 2 * WINDOW_MS - 1, true],
    ['after that', 2 * WINDOW_MS, false],
    ['before it was given', -1, false],
  ])('%s: accepted %#', (_when, afterMs, accepted) => {
    expect(nonces.accepts(nonces.at(NOW_MS), NOW_MS + afterMs)).toBe(accepted);
  });

  it('of one broker is taken by another with the same key', () => {
    expect(new DpopNonces(Buffer.from(KEY)).accepts(nonces.at(NOW_MS), NOW_MS)).toBe(true);
  });

  it('of another key is not', () => {
    expect(nonces.accepts(new DpopNonces(Buffer.alloc(32, 8)).at(NOW_MS), NOW_MS)).toBe(false);
  });

  it.each([
    ['nothing', ''],
    ['a prefix', nonces.at(NOW_MS).slice(0, 42)],
    ['other letters', 'é'.repeat(43)],
  ])('that is %s is refused', (_what, nonce) => {
    expect(nonces.accepts(nonce, NOW_MS)).toBe(false);
  });

  it('changes with the window', () => {
    expect(nonces.at(NOW_MS)).not.toBe(nonces.at(NOW_MS + WINDOW_MS));
  });
});

it('a short key makes no nonces', () => {
  expect(() => new DpopNonces(Buffer.alloc(31))).toThrow(
    expect.objectContaining({ code: 'ERR_IDENTITY_KEY_INVALID' }),
  );
});
