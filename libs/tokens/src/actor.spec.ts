import { describe, expect, it } from '@jest/globals';
import { EXECUTOR, PLANNER } from '../test/samples.js';
import { actingAfter, actorsOf, actsAfter, readActor, type Actor } from './actor.js';

const CHAIN: Actor = { sub: EXECUTOR, act: { sub: PLANNER } };
const chainOf = (...subs: string[]) =>
  subs.reduceRight<Actor | undefined>((act, sub) => (act ? { sub, act } : { sub }), undefined) as Actor;

describe('reading who acts', () => {
  it('gives the chain, the outermost first', () => {
    const reading = readActor(CHAIN);
    expect(reading).toEqual({ ok: true, act: CHAIN });
    expect(reading.ok && actorsOf(reading.act)).toEqual([EXECUTOR, PLANNER]);
  });

  it('takes four actors and no fifth', () => {
    expect(readActor(chainOf('a', 'b', 'c', 'd')).ok).toBe(true);
    expect(readActor(chainOf('a', 'b', 'c', 'd', 'e'))).toEqual({
      ok: false,
      refusal: { code: 'ERR_TOKEN_ACTOR', reason: 'the chain of actors is too long' },
    });
  });

  it.each([
    ['nobody', undefined, 'nobody is said to act'],
    ['null', null, 'an actor is no object, or has a member we do not know'],
    ['text', EXECUTOR, 'an actor is no object, or has a member we do not know'],
    ['a list', [CHAIN], 'an actor is no object, or has a member we do not know'],
    [
      'the subject of another issuer',
      { sub: EXECUTOR, iss: 'https://evil.example' },
      'an actor is no object, or has a member we do not know',
    ],
    ['an inner actor without a subject', { sub: EXECUTOR, act: {} }, 'an actor has no subject'],
    ['an inner null', { sub: EXECUTOR, act: null }, 'an actor is no object, or has a member we do not know'],
  ])('refuses %s', (_what, value, reason) => {
    expect(readActor(value)).toEqual({ ok: false, refusal: { code: 'ERR_TOKEN_ACTOR', reason } });
  });

  it('is not troubled by a depth of thousands', () => {
    expect(
      readActor(JSON.parse(`${'{"sub":"a","act":'.repeat(5000)}{"sub":"a"}${'}'.repeat(5000)}`)).ok,
    ).toBe(false);
  });
});

describe('taking over', () => {
  it('puts the new actor outside', () => {
    expect(actingAfter({ sub: PLANNER }, EXECUTOR)).toEqual({ ok: true, act: CHAIN });
  });

  it('by who acts already adds nothing', () => {
    expect(actingAfter(CHAIN, EXECUTOR)).toEqual({ ok: true, act: CHAIN });
  });

  it('from four actors is refused', () => {
    expect(actingAfter(chainOf('a', 'b', 'c', 'd'), 'e').ok).toBe(false);
  });
});

describe('one chain comes after another', () => {
  it('if it is the same, or has one actor more outside', () => {
    expect(actsAfter(CHAIN, CHAIN)).toBe(true);
    expect(actsAfter({ sub: PLANNER }, CHAIN)).toBe(true);
  });

  it.each([
    ['drops an actor inside', chainOf('new', EXECUTOR)],
    ['drops the one who acted', chainOf('new', PLANNER)],
    ['exchanges the outermost', chainOf('new', PLANNER)],
    ['puts two outside', chainOf('newer', 'new', EXECUTOR, PLANNER)],
    ['adds history inside', chainOf(EXECUTOR, PLANNER, 'older')],
    ['turns the chain round', chainOf(PLANNER, EXECUTOR)],
    ['names the actor twice', chainOf(EXECUTOR, EXECUTOR, PLANNER)],
  ])('not if it %s', (_what, later) => {
    expect(actsAfter(CHAIN, later)).toBe(false);
  });
});
