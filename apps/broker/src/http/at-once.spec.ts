import { AtOnce } from './at-once.js';

it('lets so many in of each name, and the next when one has left', () => {
  const rooms = new AtOnce(2);
  const first = rooms.enter('a');
  rooms.enter('a');
  expect(rooms.enter('a')).toBeUndefined();
  expect(rooms.enter('b')).toBeDefined();

  first?.();
  expect(rooms.enter('a')).toBeDefined();
  expect(rooms.enter('a')).toBeUndefined();
});
