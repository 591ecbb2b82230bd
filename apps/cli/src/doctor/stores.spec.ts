import { storeFinding } from './stores.js';

const life = { epoch: 'be333e103b3a4ad69bfe9937ad85bc43', earlier: [], recovering: null };
const nothing = { epochs: [], records: [] };

it('is content with a store that knows what it has written', () => {
  expect(storeFinding('broker', life, nothing)).toMatchObject({ status: 'ok' });
});

it('fails on a store that was restored, whatever was ordered since', () => {
  const recovering = { store: true, topics: [], sweeps: [] };

  expect(storeFinding('broker', life, { epochs: [], records: [7n] })).toMatchObject({ status: 'fail' });
  expect(storeFinding('broker', { ...life, recovering }, { epochs: ['x'], records: [] })).toMatchObject({
    status: 'fail',
    fix: 'docs/how-to/recover-from-a-restore.md',
  });
});

it('warns of a recovery that is not done', () => {
  const recovering = { store: false, topics: [], sweeps: [{ service: 'broker' as const, epoch: 'x' }] };

  expect(storeFinding('revoker', { ...life, recovering }, nothing)).toMatchObject({ status: 'warn' });
});
