import type pg from 'pg';
import { v7 } from 'uuid';
import { inspectPostgres } from './inspect.js';
import { issuersOf } from './issuer.js';
import { nameFindings } from './name-findings.js';
import { principalOf } from '../principal-name.js';
import { policyRoleFindings, rightFindings } from './right-findings.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';
import { postgresSettings, type PostgresSettings } from './settings.js';
import { openTlsFront, type TlsFront } from './tls-front.contract.js';

const NAMESPACE = 'ins';
const ISSUERS = issuersOf(8);

let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget(NAMESPACE);
  superuser = await target.superuser();
});
afterAll(() => target.close());

const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);

/** What is taken away is taken away in a transaction that is rolled back: other specs use the same cluster. */
describe('rights at the target', () => {
  beforeEach(() => superuser.query('BEGIN'));
  afterEach(() => superuser.query('ROLLBACK'));
  const become = (login: string) => superuser.query(`SET LOCAL SESSION AUTHORIZATION ${login}`);

  it.each(['broker', 'revoker'] as const)('are all there, and no more, for the %s', async (user) => {
    await become(`mayfly_${user}`);
    expect(await rightFindings(superuser, user, ISSUERS)).toEqual([]);
  });

  it.each([
    ['broker', 'REVOKE SELECT ON mayfly.fence FROM mayfly_broker', 'not so: mayfly_broker reads the fence'],
    ['broker', 'REVOKE USAGE ON SCHEMA mayfly FROM mayfly_broker', 'not so: mayfly_broker reads the fence'],
    ['broker', 'ALTER ROLE mayfly_issuer_3 NOCREATEROLE', 'not so: mayfly_issuer_3 makes roles'],
    [
      'broker',
      'REVOKE INSERT (lease_id, principal, role_oid, keep_until) ON mayfly.fence FROM mayfly_issuer_3',
      'not so: mayfly_issuer_3 fences what it makes',
    ],
    ['revoker', 'REVOKE pg_signal_backend FROM mayfly_revoker', 'not so: mayfly_revoker ends sessions'],
    [
      'revoker',
      'REVOKE UPDATE ON mayfly.fence FROM mayfly_revoker',
      'not so: mayfly_revoker sets and clears fences (UPDATE)',
    ],
    ['revoker', 'REVOKE mayfly_issuer_7 FROM mayfly_revoker', 'not so: mayfly_issuer_7 may be acted as'],
  ] as const)('are missed for the %s after: %s', async (user, sql, what) => {
    await superuser.query(sql);
    await become(`mayfly_${user}`);
    expect(await rightFindings(superuser, user, ISSUERS)).toMatchObject([
      { code: 'ERR_TARGET_RIGHT_MISSING', what },
    ]);
  });

  it.each([
    ['broker', 'GRANT pg_signal_backend TO mayfly_broker', "too much: mayfly_broker ends others' sessions"],
    ['broker', 'GRANT UPDATE ON mayfly.fence TO mayfly_issuer_3', 'too much: mayfly_issuer_3 lifts a fence'],
    ['broker', 'ALTER ROLE mayfly_issuer_3 LOGIN', 'too much: mayfly_issuer_3 logs in, or is a superuser'],
    [
      'revoker',
      'ALTER ROLE mayfly_revoker CREATEROLE',
      'too much: mayfly_revoker is a superuser, makes roles of its own accord, or passes row filters',
    ],
  ] as const)('are too many for the %s after: %s', async (user, sql, what) => {
    await superuser.query(sql);
    await become(`mayfly_${user}`);
    expect(await rightFindings(superuser, user, ISSUERS)).toMatchObject([
      { code: 'ERR_TARGET_RIGHT_TOO_MUCH', what },
    ]);
  });

  it('are missed where there is no fence at all', async () => {
    await superuser.query('ALTER SCHEMA mayfly RENAME TO mayfly_spec_gone');
    for (const user of ['broker', 'revoker'] as const) {
      await become(`mayfly_${user}`);
      expect(new Set(codes(await rightFindings(superuser, user, ISSUERS)))).toEqual(
        new Set(['ERR_TARGET_RIGHT_MISSING']),
      );
      await superuser.query('RESET SESSION AUTHORIZATION');
    }
  });

  it('name the issuer that the settings count and the target lacks', async () => {
    await become('mayfly_broker');
    expect(await rightFindings(superuser, 'broker', issuersOf(65))).toMatchObject([
      { code: 'ERR_TARGET_RIGHT_MISSING', what: 'role mayfly_issuer_64 is missing' },
    ]);
  });

  it('name each policy role that cannot be lent, and by whom', async () => {
    const lenders = ISSUERS.filter((issuer) => issuer !== 'mayfly_issuer_2' && issuer !== 'mayfly_issuer_5');
    await superuser.query('CREATE ROLE pol_spec_half NOLOGIN');
    await superuser.query(`GRANT pol_spec_half TO ${lenders.join(', ')} WITH ADMIN TRUE`);
    const roles = ['pol_crm_orders_read', 'pol_spec_missing', 'pol_spec_half'];
    await become('mayfly_broker');

    const found = await policyRoleFindings(superuser, ISSUERS, roles);
    expect(found.map(({ code, right, what }) => [code, right, what.split(':')[0]])).toEqual([
      ['ERR_TARGET_POLICY_ROLE', 'pol_spec_missing', 'pol_spec_missing cannot be lent'],
      [
        'ERR_TARGET_POLICY_ROLE',
        'pol_spec_half',
        'pol_spec_half cannot be lent by mayfly_issuer_2 and mayfly_issuer_5',
      ],
    ]);
    expect(codes(await policyRoleFindings(superuser, issuersOf(2), ['pol_spec_half']))).toEqual([]);
  });

  it('see that a name of ours was made by somebody else, and not one that was cut', async () => {
    const principal = principalOf(NAMESPACE, v7());
    await superuser.query(`CREATE ROLE ${principal} LOGIN`);
    expect(await nameFindings(superuser, NAMESPACE)).toMatchObject([
      {
        code: 'ERR_TARGET_NAME_TAKEN',
        what: `role ${principal} was made by somebody else, and its name is of our namespace \`${NAMESPACE}\``,
      },
    ]);
    await superuser.query(`ALTER ROLE ${principal} NOLOGIN`);
    expect(await nameFindings(superuser, NAMESPACE)).toEqual([]);
  });

  it('see that a name of ours is of another Mayfly, whose fence is in another database', async () => {
    const principal = principalOf(NAMESPACE, v7());
    await superuser.query('SET LOCAL ROLE mayfly_issuer');
    await superuser.query(`CREATE ROLE ${principal} LOGIN`);
    await superuser.query('RESET ROLE');

    expect(await nameFindings(superuser, NAMESPACE)).toMatchObject([
      {
        code: 'ERR_TARGET_NAME_TAKEN',
        what: `role ${principal} is of another Mayfly, and its name is of our namespace \`${NAMESPACE}\``,
      },
    ]);
  });

  it('leave names alone that could never be ours', async () => {
    await superuser.query(`CREATE ROLE k${NAMESPACE}_reader LOGIN`);
    expect(await nameFindings(superuser, NAMESPACE)).toEqual([]);
  });
});

describe('a look at a target', () => {
  const change = (part: Partial<PostgresSettings['connection']>, login = target.brokerSettings.login) => ({
    ...target.brokerSettings,
    login,
    connection: { ...target.brokerSettings.connection, ...part },
  });
  const login = (user: string, password: string) => postgresSettings.shape.login.parse({ user, password });
  const look = async (settings: PostgresSettings) =>
    codes(await inspectPostgres(settings, 'broker', [target.policyRole]));

  it('finds nothing where all is well, live leases and all', async () => {
    await target.created(target.plan());
    expect(await inspectPostgres(target.brokerSettings, 'broker', [target.policyRole])).toEqual([]);
    expect(await inspectPostgres(target.revokerSettings, 'revoker', [target.policyRole])).toEqual([]);
  });

  it('finds what is missing until it is granted', async () => {
    const user = 'inspect_spec_login';
    await superuser.query(`DROP ROLE IF EXISTS ${user}`);
    await superuser.query(`CREATE ROLE ${user} LOGIN PASSWORD '${user}'`);
    const settings = change({}, login(user, user));

    expect(await look(settings)).toEqual(['ERR_TARGET_RIGHT_MISSING']);
    await superuser.query(`GRANT CONNECT ON DATABASE ${settings.connection.database} TO ${user}`);
    expect(new Set(await look(settings))).toEqual(new Set(['ERR_TARGET_RIGHT_MISSING']));
    await superuser.query(`GRANT mayfly_broker TO ${user}`);
    expect(await look(settings)).toEqual([]);

    await superuser.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
  });

  it('finds no way there, no such database and no login', async () => {
    expect(await look(change({ port: 1 }))).toEqual(['ERR_TARGET_UNREACHABLE']);
    expect(await look(change({ host: 'no-such-host.invalid' }))).toEqual(['ERR_TARGET_UNREACHABLE']);
    expect(await look(change({ database: 'no_such_database' }))).toEqual(['ERR_TARGET_DATABASE_UNKNOWN']);
    expect(await look(change({}, login('providers_spec_broker', 'another')))).toEqual([
      'ERR_TARGET_LOGIN_REFUSED',
    ]);
  });

  it('finds that the server speaks no TLS', async () => {
    expect(await look(change({ tls: { mode: 'verify-full' } }))).toEqual(['ERR_TARGET_TLS_MISSING']);
  });

  describe('through TLS', () => {
    let front: TlsFront;
    beforeAll(async () => {
      const { host, port } = target.brokerSettings.connection;
      front = await openTlsFront({ host, port });
    });
    afterAll(() => front.close());

    it('does not trust a certificate that signed itself, and says what to do', async () => {
      const settings = change({ host: 'localhost', port: front.port, tls: { mode: 'verify-full' } });
      expect(await inspectPostgres(settings, 'broker', [])).toEqual([
        {
          code: 'ERR_TARGET_CERTIFICATE',
          what: `the certificate of localhost:${front.port} is self-signed, or its root is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
          how: 'give the certificate that signed it as connection.tls.ca in targets.yaml (PEM text), or have the server send one that the system trusts',
        },
      ]);
    });

    it('trusts it once it is given', async () => {
      const tls = { mode: 'verify-full' as const, ca: front.certificate };
      expect(await look(change({ host: 'localhost', port: front.port, tls }))).toEqual([]);
    });
  });
});
