import { ProviderError } from '#providers/provider.js';
import { answered } from './cut-lease.js';

it('a target that never answers is given up, so that it does not keep its place for ever', async () => {
  await expect(answered(new Promise(() => undefined), 1)).rejects.toMatchObject({
    code: 'ERR_TARGET_UNREACHABLE',
  });
});

it('what a target answers in time is its answer', async () => {
  const refused = new ProviderError('ERR_TARGET_REFUSED', 'target refused');
  expect(await answered(Promise.resolve('cut'), 60_000)).toBe('cut');
  await expect(answered(Promise.reject(refused), 60_000)).rejects.toBe(refused);
});
