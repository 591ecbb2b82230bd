import { AuthenticationError, NetworkError } from '@platformatic/kafka';
import { ProviderError } from '../provider.js';
import { asProviderError, codeOfAnswer, demand } from './errors.js';

it.each([
  ['CLUSTER_AUTHORIZATION_FAILED', 31, 'ERR_TARGET_MISCONFIGURED'],
  ['SECURITY_DISABLED', 54, 'ERR_TARGET_MISCONFIGURED'],
  ['REQUEST_TIMED_OUT', 7, 'ERR_TARGET_UNREACHABLE'],
  ['UNKNOWN_SERVER_ERROR', -1, 'ERR_TARGET_UNREACHABLE'],
  ['UNACCEPTABLE_CREDENTIAL', 93, 'ERR_TARGET_REFUSED'],
])('%s is %d', (_name, errorCode, code) => expect(codeOfAnswer(errorCode)).toBe(code));

it('lets pass what is fine, and what the caller says is', () => {
  expect(() => demand(0)).not.toThrow();
  expect(() => demand(91, 91)).not.toThrow();
  expect(() => demand(91)).toThrow('target refused');
});

it('tells a login that is refused from a server that is away', () => {
  const refused = new NetworkError('failed', {
    cause: new AuthenticationError('SASL authentication failed.'),
  });

  expect(asProviderError(refused).code).toBe('ERR_TARGET_MISCONFIGURED');
  expect(asProviderError(new NetworkError('closed')).code).toBe('ERR_TARGET_UNREACHABLE');
  expect(asProviderError('what').code).toBe('ERR_TARGET_UNREACHABLE');
});

it('leaves an error of ours as it is', () => {
  const error = new ProviderError('ERR_PLAN_INVALID', 'plan is invalid');

  expect(asProviderError(error)).toBe(error);
});
