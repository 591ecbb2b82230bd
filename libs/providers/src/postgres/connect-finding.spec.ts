import pg from 'pg';
import { connectFinding } from './connect-finding.js';
import { postgresSettings } from './settings.js';

const SETTINGS = postgresSettings.parse({
  id: 'shop',
  provider: 'postgres',
  maxTtlMs: 900_000,
  connection: { host: 'db.internal', port: 5432, database: 'shop' },
  login: { user: 'mayfly_broker', password: 'correct horse' },
  namespace: 'cfs',
});
const withCode = (code: string) => Object.assign(new Error('in the words of somebody'), { code });
function said(state: string): pg.DatabaseError {
  const error = new pg.DatabaseError('in the words of the server', 1, 'error');
  error.code = state;
  return error;
}

it.each([
  [withCode('ECONNREFUSED'), 'ERR_TARGET_UNREACHABLE', 'no connection to db.internal:5432 (ECONNREFUSED)'],
  [withCode('ENOTFOUND'), 'ERR_TARGET_UNREACHABLE', 'no connection to db.internal:5432 (ENOTFOUND)'],
  [new Error('timeout expired'), 'ERR_TARGET_UNREACHABLE', 'no connection to db.internal:5432'],
  [said('57P03'), 'ERR_TARGET_UNREACHABLE', 'db.internal:5432 takes no connection now (SQLSTATE 57P03)'],
  [
    withCode('SELF_SIGNED_CERT_IN_CHAIN'),
    'ERR_TARGET_CERTIFICATE',
    'the certificate of db.internal:5432 is self-signed, or its root is not trusted (SELF_SIGNED_CERT_IN_CHAIN)',
  ],
  [
    withCode('CERT_HAS_EXPIRED'),
    'ERR_TARGET_CERTIFICATE',
    'the certificate of db.internal:5432 has expired (CERT_HAS_EXPIRED)',
  ],
  [
    withCode('ERR_TLS_CERT_ALTNAME_INVALID'),
    'ERR_TARGET_CERTIFICATE',
    'the certificate of db.internal:5432 is for another name (ERR_TLS_CERT_ALTNAME_INVALID)',
  ],
  [
    withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    'ERR_TARGET_CERTIFICATE',
    'the certificate of db.internal:5432 is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
  ],
  [
    new Error('The server does not support SSL connections'),
    'ERR_TARGET_TLS_MISSING',
    'db.internal:5432 does not speak TLS',
  ],
  [
    said('28P01'),
    'ERR_TARGET_LOGIN_REFUSED',
    'db.internal:5432 does not let mayfly_broker in (SQLSTATE 28P01)',
  ],
  [said('3D000'), 'ERR_TARGET_DATABASE_UNKNOWN', 'db.internal:5432 has no database shop'],
  [said('42501'), 'ERR_TARGET_RIGHT_MISSING', 'mayfly_broker may not connect to the database shop'],
])('a connection that fails with %s is %s', (error, code, what) => {
  const finding = connectFinding(error, SETTINGS);

  expect(finding).toMatchObject({ code, what });
  expect(finding.how).not.toBe('');
  expect(JSON.stringify(finding)).not.toContain('correct horse');
  expect(JSON.stringify(finding)).not.toContain('in the words');
});
