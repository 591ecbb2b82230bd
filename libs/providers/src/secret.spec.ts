import { inspect } from 'node:util';
import { Secret } from './secret.js';

it('shows itself only when asked to', () => {
  const secret = new Secret('hunter2');
  expect(secret.reveal()).toBe('hunter2');
  expect(String(secret)).toBe('[secret]');
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
  expect(inspect({ secret }, { showHidden: true })).toBe('{ secret: [secret] }');
});
