import { inspectByAsking } from './inspect-by-asking.js';
import { ProviderError, type ProviderErrorCode } from './provider.js';

const failing = (code: ProviderErrorCode) => () => Promise.reject(new ProviderError(code, 'no'));

it('finds nothing amiss at a target that answers', async () => {
  expect(await inspectByAsking(() => Promise.resolve(), 'mayfly')).toEqual([]);
});

it.each<[ProviderErrorCode, string]>([
  ['ERR_TARGET_UNREACHABLE', 'ERR_TARGET_UNREACHABLE'],
  ['ERR_TARGET_MISCONFIGURED', 'ERR_TARGET_RIGHT_MISSING'],
  ['ERR_TARGET_REFUSED', 'ERR_TARGET_NOT_INSPECTED'],
])('says what %s means, and how to mend it', async (code, found) => {
  const [finding, ...more] = await inspectByAsking(failing(code), 'mayfly_broker');

  expect(more).toEqual([]);
  expect(finding).toMatchObject({ code: found, how: expect.stringMatching(/^see /) as string });
});

it('names the account that lacks a right', async () => {
  const [finding] = await inspectByAsking(failing('ERR_TARGET_MISCONFIGURED'), 'mayfly_broker');
  expect(finding?.how).toContain('mayfly_broker');
});
