import { somebodyElse } from '../../test/somebody-else.js';
import { decodingInParts } from './decode-batch.js';

it('lets in who waits for the thread between two batches', async () => {
  const { busily, letInAfter } = somebodyElse();
  const decode = decodingInParts((from) => {
    busily();
    return Promise.resolve(from);
  });
  const decoded: unknown[] = [];
  for (const batch of [1, 2, 3, 4]) decoded.push(await decode(batch));
  expect(decoded).toEqual([1, 2, 3, 4]);
  // After the first; after the second where this thread itself had to wait before the first.
  expect(letInAfter()).toBeLessThanOrEqual(2);
});

it('rejects with what a batch is refused for, and goes on with the next fetch', async () => {
  const decode = decodingInParts((from) =>
    from === 'torn' ? Promise.reject(new RangeError('torn')) : Promise.resolve(from),
  );
  await expect(decode('torn')).rejects.toThrow('torn');
  await expect(decode('whole')).resolves.toBe('whole');
});
