import { leads, niceIn } from './session-niceness.js';

it('is read where the kernel tells it', () => {
  expect(niceIn('/autogroup-25 nice 0\n')).toBe(0);
  expect(niceIn('/autogroup-153742 nice -5\n')).toBe(-5);
  expect(() => niceIn('')).toThrow('not the niceness of a session');
  expect(() => niceIn('/ nice 0')).toThrow('not the niceness of a session');
});

it('is ours where the process leads its session, whatever it calls itself', () => {
  const stat = (name: string, session: number) => `812 (${name}) S 1 812 ${session} 0 -1 4194304 9 0`;
  expect(leads(stat('node', 812), 812)).toBe(true);
  expect(leads(stat('a) S 1 812 812 (b', 700), 812)).toBe(false);
  expect(leads('', 812)).toBe(false);
});
