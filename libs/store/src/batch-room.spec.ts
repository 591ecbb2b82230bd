import { BatchRoom } from './batch-room.js';

/** Batches that fill the room, with more behind them, and how long each took. */
const afterFull = (room: BatchRoom, ...tookMs: number[]): number => {
  for (const ms of tookMs) room.took(ms, room.size, true);
  return room.size;
};

it('is a hundred where nothing is aimed at, however long that takes', () => {
  expect(afterFull(new BatchRoom(undefined), 5_000, 1)).toBe(100);
});

it('begins small, and doubles while full batches are quick', () => {
  const room = new BatchRoom(100);
  expect(room.size).toBe(10);
  expect(afterFull(room, 20)).toBe(20);
  expect(afterFull(room, 30, 40)).toBe(80);
  expect(afterFull(room, 50, 50)).toBe(100);
});

it('stays where it is about right', () => {
  const room = new BatchRoom(100);
  expect(afterFull(room, 20, 80)).toBe(20);
  room.took(20, 15, false);
  expect(room.size).toBe(20);
});

it('shrinks by as much as a batch took too long, and never to nothing', () => {
  const room = new BatchRoom(100);
  afterFull(room, 10, 10, 10);
  expect(afterFull(room, 200)).toBe(40);
  expect(afterFull(room, 9_000)).toBe(10);
});

it('is small again after a while in which little came', () => {
  const room = new BatchRoom(100);
  afterFull(room, 10, 10, 10);
  const sizes = Array.from({ length: 4 }, () => {
    room.took(5, 1, false);
    return room.size;
  });
  expect(sizes).toEqual([40, 20, 10, 10]);
});
