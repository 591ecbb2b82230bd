import { FENCED_FOR_MS, STALE_AFTER_MS, staleOf } from './prune.js';
import { CREATED_WITHIN_MS } from './checked-plan.js';

const client = (id: string, name: string, ageS: number) => ({ id, name, user: 'mayfly-broker', ageS });
const limitS = STALE_AFTER_MS / 1_000;

it('closes what was open when a create of that age could leave, and only what creates', () =>
  expect(
    staleOf(
      [
        client('1', 'mayfly-shp-create', limitS),
        client('2', 'mayfly-shp-create', limitS - 1),
        client('3', 'mayfly-shp-cut', 9_999),
        client('4', 'mayfly-dev-create', 9_999),
        client('5', '', 9_999),
      ],
      'shp',
    ),
  ).toEqual(['1']));

it('leaves more than the difference of clocks between the last create and the youngest connection that is closed', () =>
  expect(FENCED_FOR_MS - CREATED_WITHIN_MS - STALE_AFTER_MS).toBeGreaterThanOrEqual(10_000));
