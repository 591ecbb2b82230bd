import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pageOf, type Figures } from './revocation-page.js';

const reference = join(import.meta.dirname, '../../../docs/reference');
const figures = JSON.parse(readFileSync(join(reference, 'revocation.json'), 'utf8')) as Figures;

it('says what was measured, and nothing else', () => {
  expect(readFileSync(join(reference, 'revocation.md'), 'utf8')).toBe(pageOf(figures));
});

it('is of providers that nobody outran', () => {
  expect(Object.keys(figures)).toEqual(expect.arrayContaining(['postgres', 'jwt']));
  for (const { reconnecting } of Object.values(figures)) expect(reconnecting.survivors).toBe(0);
  expect(figures['postgres']?.reconnecting).toMatchObject({ trials: 250, connections: 12 });
});
