import { inspectByListing } from './inspect-by-listing.js';
import { type CredentialProvider, ProviderError, type ProviderErrorCode } from './provider.js';

/** A target of which nothing is asked but its principals. */
function target(list: CredentialProvider['list']) {
  let closed = false;
  const provider = { list, close: () => Promise.resolve(void (closed = true)) } as CredentialProvider;
  return { open: () => provider, isClosed: () => closed };
}

async function* none(): AsyncGenerator<never> {}

it('finds nothing amiss at a target that lists its principals, and leaves it', async () => {
  const { open, isClosed } = target(none);
  expect(await inspectByListing(open, 'mayfly')).toEqual([]);
  expect(isClosed()).toBe(true);
});

it.each<[ProviderErrorCode, string]>([
  ['ERR_TARGET_UNREACHABLE', 'ERR_TARGET_UNREACHABLE'],
  ['ERR_TARGET_MISCONFIGURED', 'ERR_TARGET_RIGHT_MISSING'],
  ['ERR_TARGET_REFUSED', 'ERR_TARGET_NOT_INSPECTED'],
])('says what %s means, and how to mend it', async (code, found) => {
  const failing = () => {
    throw new ProviderError(code, 'no');
  };
  const { open, isClosed } = target(failing);

  const [finding, ...more] = await inspectByListing(open, 'mayfly_broker');

  expect(more).toEqual([]);
  expect(finding).toMatchObject({ code: found, how: expect.stringMatching(/^see /) as string });
  expect(isClosed()).toBe(true);
});

it('names the account that lacks a right', async () => {
  const { open } = target(() => {
    throw new ProviderError('ERR_TARGET_MISCONFIGURED', 'no');
  });
  expect((await inspectByListing(open, 'mayfly_broker'))[0]?.how).toContain('mayfly_broker');
});
