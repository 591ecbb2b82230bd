/** Why no connection came about, by what Node, the driver and the server say. Messages of the server are not passed on: they are translated. */
import pg from 'pg';
import type { TargetFinding } from '../target-finding.js';
import { PasswordFileError } from './password-file.js';
import type { PostgresSettings } from './settings.js';

/** Codes of Node (`tls` and OpenSSL) for a certificate that is not to be trusted. */
const CERTIFICATE =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|ERR_TLS_CERT_\w+)$/;
const SELF_SIGNED = /^(DEPTH_ZERO_)?SELF_SIGNED/;
const OTHER_NAME = /ALTNAME|HOSTNAME/;
/** What the driver says when the server answers `N` to its wish for TLS. */
const NO_TLS = /does not support SSL/;

export function connectFinding(error: unknown, { connection, login }: PostgresSettings): TargetFinding {
  const { host, port, database } = connection;
  const place = `${host}:${port}`;
  const code = (error as { code?: unknown }).code;
  if (error instanceof PasswordFileError)
    return {
      code: 'ERR_TARGET_LOGIN_REFUSED',
      what: `${error.message} (${error.file})`,
      how: `see that login.passwordFile is there, belongs to the service with mode 0600, and holds the password of ${login.user} in one line`,
    };
  if (error instanceof pg.DatabaseError) return refusedFinding(error.code, place, database, login.user);
  if (typeof code === 'string' && CERTIFICATE.test(code)) return certificateFinding(code, place, host);
  if (error instanceof Error && NO_TLS.test(error.message))
    return {
      code: 'ERR_TARGET_TLS_MISSING',
      what: `${place} does not speak TLS`,
      how: 'set `ssl = on` with a certificate in postgresql.conf; connection.tls.mode: disable is for loopback only',
    };
  return {
    code: 'ERR_TARGET_UNREACHABLE',
    what: `no connection to ${place}${typeof code === 'string' ? ` (${code})` : ''}`,
    how: 'see that the server runs, that connection.host and connection.port are its own, and that no firewall is between',
  };
}

function certificateFinding(code: string, place: string, host: string): TargetFinding {
  const what = SELF_SIGNED.test(code)
    ? 'is self-signed, or its root is not trusted'
    : OTHER_NAME.test(code)
      ? 'is for another name'
      : code === 'CERT_HAS_EXPIRED'
        ? 'has expired'
        : 'is not trusted';
  return {
    code: 'ERR_TARGET_CERTIFICATE',
    what: `the certificate of ${place} ${what} (${code})`,
    how: OTHER_NAME.test(code)
      ? `set connection.host to a name that the certificate is for, or give the server one for ${host}`
      : 'give the certificate that signed it as connection.tls.ca in targets.yaml (PEM text), or have the server send one that the system trusts',
  };
}

function refusedFinding(
  state: string | undefined,
  place: string,
  database: string,
  user: string,
): TargetFinding {
  switch (state) {
    case '28P01': // invalid_password
    case '28000': // invalid_authorization_specification
      return {
        code: 'ERR_TARGET_LOGIN_REFUSED',
        what: `${place} does not let ${user} in (SQLSTATE ${state})`,
        how: 'see that login.user exists and may log in, that login.password or login.passwordFile has its password, and that a line of pg_hba.conf lets it in with scram-sha-256',
      };
    case '3D000': // invalid_catalog_name
      return {
        code: 'ERR_TARGET_DATABASE_UNKNOWN',
        what: `${place} has no database ${database}`,
        how: 'set connection.database to one that it has',
      };
    case '42501': // insufficient_privilege
      return {
        code: 'ERR_TARGET_RIGHT_MISSING',
        what: `${user} may not connect to the database ${database}`,
        how: `GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${pg.escapeIdentifier(user)}`,
      };
    default:
      return {
        code: 'ERR_TARGET_UNREACHABLE',
        what: `${place} takes no connection now (SQLSTATE ${state ?? 'unknown'})`,
        how: 'see the log of the server: it is starting or stopping, or has no connection to spare',
      };
  }
}
