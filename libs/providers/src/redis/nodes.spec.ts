import { observationOf, type NodeLook } from './nodes.js';

const at = (runId: string, state: NodeLook['state'], sessions = 0): NodeLook => ({ state, sessions, runId });
const seen = (...looks: (NodeLook | null)[]) => observationOf(looks, 7);

it.each([
  ['nothing anywhere', [at('a', 'absent'), at('b', 'absent')], 'absent', 0],
  ['a cut user on one', [at('a', 'absent'), at('b', 'disabled')], 'disabled', 0],
  ['a login on one', [at('a', 'disabled'), at('b', 'live')], 'live', 0],
  ['a connection on one', [at('a', 'disabled', 2), at('b', 'absent')], 'live', 2],
  ['a login on one, and another that does not answer', [at('a', 'live', 1), null], 'live', 1],
  ['one that does not answer', [at('a', 'absent'), null], 'unknown', null],
  ['none that answers', [null, null], 'unknown', null],
  ['one server at two addresses', [at('a', 'absent'), at('a', 'absent')], 'unknown', null],
] as const)('sees %s', (_what, looks, state, sessions) =>
  expect(seen(...looks)).toMatchObject({ state, sessions, atMs: 7 }),
);

it('says how many nodes were seen, and in which lives', () => {
  expect(seen(at('a', 'absent'), null)).toMatchObject({
    incarnation: 'a+-',
    nodes: { seen: 1, expected: 2 },
  });
  expect(seen(null)).toMatchObject({ incarnation: '', nodes: { seen: 0, expected: 1 } });
});
