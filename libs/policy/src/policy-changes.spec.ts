import { policyChanges } from './policy-changes.js';

const BEFORE = { 'data.read': 'aa', 'guard.budget': 'bb', 'guard.old': 'cc' };

it('names what came, what went and what is another', () => {
  expect(policyChanges(BEFORE, { 'guard.new': 'dd', 'data.read': 'ee', 'guard.budget': 'bb' })).toEqual({
    added: ['guard.new'],
    removed: ['guard.old'],
    changed: ['data.read'],
  });
});

it('names nothing where nothing is different', () => {
  expect(policyChanges(BEFORE, { ...BEFORE })).toEqual({ added: [], removed: [], changed: [] });
});

it('names everything of a first set', () => {
  expect(policyChanges({}, BEFORE).added).toEqual(['data.read', 'guard.budget', 'guard.old']);
});
