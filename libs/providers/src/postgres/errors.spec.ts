import pg from 'pg';
import { ProviderError } from '../provider.js';
import { asProviderError } from './errors.js';
import { isServerRefusal } from './pools.js';

function serverError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('said by the server', 0, 'error');
  error.code = code;
  return error;
}

it.each([
  ['42501', 'ERR_TARGET_MISCONFIGURED'],
  ['28P01', 'ERR_TARGET_MISCONFIGURED'],
  ['57P01', 'ERR_TARGET_UNREACHABLE'],
  ['53300', 'ERR_TARGET_UNREACHABLE'],
  ['55P03', 'ERR_TARGET_REFUSED'],
  ['2BP01', 'ERR_TARGET_REFUSED'],
])('reads SQLSTATE %s as %s', (sqlState, code) => {
  const cause = serverError(sqlState);
  expect(asProviderError(cause)).toMatchObject({ code, cause });
});

it('reads what the server did not say as a target that cannot be reached', () => {
  expect(asProviderError(new Error('ECONNREFUSED'))).toMatchObject({
    code: 'ERR_TARGET_UNREACHABLE',
    message: 'target cannot be reached',
  });
});

it('leaves an error of ours as it is', () => {
  const error = new ProviderError('ERR_PLAN_INVALID', 'plan is for another target');
  expect(asProviderError(error)).toBe(error);
});

it.each(['57P01', '57014', '08006', '40003', '25P04', 'XX000', '58030'])(
  'does not take %s as a promise that nothing was made',
  (sqlState) => expect(isServerRefusal(serverError(sqlState))).toBe(false),
);

it.each(['23505', '42710', '55P03', 'MF001'])('takes %s as such a promise', (sqlState) =>
  expect(isServerRefusal(serverError(sqlState))).toBe(true),
);

it('does not take silence as such a promise', () => {
  expect(isServerRefusal(new Error('Query read timeout'))).toBe(false);
});
