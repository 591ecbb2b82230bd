import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { edited, env, folder, lineIn, refusalOf, SAMPLE } from '../test/sample-file.js';
import { loadConfig } from './load.js';

describe('the broker’s tokens', () => {
  it('are configured in the sample, and kept in no status list unless one is named', () => {
    const { broker } = loadConfig(SAMPLE, env, 'broker').services;

    expect(broker).toMatchObject({
      issuer: 'http://127.0.0.1:18070',
      tokens: {
        keyEncryptionKey: 'state/keys/token-keys.kek',
        rotateEveryMs: 86_400_000,
        publishAheadMs: 60_000,
      },
    });
    expect(broker.tokens).not.toHaveProperty('statusLists');
    const listed = { ...env, MAYFLY_STATUS_LISTS: 'https://mayfly.example/status' };
    expect(loadConfig(SAMPLE, listed, 'broker').services.broker.tokens?.statusLists).toBe(
      'https://mayfly.example/status',
    );
  });

  it.each([
    ['http://mayfly.example', 'an issuer in clear beyond this machine'],
    ['https://mayfly.example/', 'a trailing slash'],
    ['https://mayfly.example?a=b', 'a query'],
    ['mayfly', 'no URL'],
  ])('are not issued by %s: %s', (issuer) => {
    const file = edited('issuer: http://127.0.0.1:${MAYFLY_BROKER_PORT:-7070}', `issuer: ${issuer}`);

    expect(refusalOf(file)).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      key: 'services.broker.issuer',
      line: lineIn(file, `issuer: ${issuer}`),
    });
  });

  it('are signed by no key that verifiers could not know in time', () => {
    const file = edited('rotateEveryMs: 86400000', 'rotateEveryMs: 100000');

    expect(refusalOf(file)).toMatchObject({ key: 'services.broker.tokens.publishAheadMs' });
  });
});

describe('an OIDC issuer', () => {
  const withIssuer = (issuer: string) => {
    const file = join(folder, 'mayfly.yaml');
    writeFileSync(
      file,
      'environment: production\nstateDir: s\nbus: { kafka: { brokers: "k:1" } }\nservices: {}\n' +
        `trust: { issuers: [${issuer}], services: {} }\ncatalogue: c\npolicy: p\n`,
    );
    return file;
  };
  const GITHUB = (subjects: string) =>
    withIssuer(
      `{ type: oidc, issuer: https://issuer.example, jwks: https://issuer.example/jwks, audience: mayfly, subjects: [${subjects}] }`,
    );

  it('says who its workloads are, and is believed without its keys for a day', () => {
    const file = GITHUB('{ id: spiffe://corp.example/ci, claims: { sub: build } }');

    expect(loadConfig(file, {}, 'cli').trust.issuers).toMatchObject([
      { subjects: [{ id: 'spiffe://corp.example/ci', claims: { sub: 'build' } }], maxStaleMs: 86_400_000 },
    ]);
  });

  it.each([
    [
      'two kinds at once',
      '{ id: spiffe://a.example/b, claims: { sub: x }, kubernetes: { namespace: n, serviceAccountUid: u } }',
    ],
    ['no kind', '{ id: spiffe://a.example/b }'],
    [
      'a repository by name',
      '{ id: spiffe://a.example/b, github: { repositoryId: octo/x, repositoryOwnerId: "1", jobWorkflowRef: w@r } }',
    ],
    [
      'a workflow without its ref',
      '{ id: spiffe://a.example/b, github: { repositoryId: "2", repositoryOwnerId: "1", jobWorkflowRef: w } }',
    ],
  ])('is refused with a subject of %s', (_what, subject) => {
    const refused = () => loadConfig(GITHUB(subject), {}, 'cli');
    expect(refused).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }) as Error);
  });

  it('is refused where it names nobody', () => {
    const refused = () =>
      loadConfig(withIssuer('{ type: oidc, issuer: https://i.example, jwks: j, audience: a }'), {}, 'cli');
    expect(refused).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }) as Error);
  });
});
