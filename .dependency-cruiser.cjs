/** Who may import what. The reasons are in CONTRIBUTING.md. */
const only = (name, to, from) => ({
  name,
  severity: 'error',
  from: { pathNot: from },
  to: { path: to },
});
const ioOf =
  '^(node:|fs|net|http|https|crypto|child_process)|^(fs|net|http|https|crypto|child_process|dns|tls|os|path)$';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'events-are-pure',
      severity: 'error',
      from: { path: '^libs/events/src', pathNot: '\\.spec\\.ts$' },
      to: { path: ioOf },
    },
    {
      name: 'merkle-is-pure',
      severity: 'error',
      from: { path: '^libs/merkle/src/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^libs/merkle/src/' },
    },
    {
      name: 'merkle-on-node-needs-only-crypto',
      severity: 'error',
      from: { path: '^libs/merkle/node/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^libs/merkle/(src|node)/|^(node:)?crypto$' },
    },
    {
      name: 'bundle-needs-little',
      severity: 'error',
      from: { path: '^libs/bundle/src', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(apps|libs)/', pathNot: '^libs/(bundle|merkle)/' },
    },
    {
      name: 'bundle-touches-disks-in-files',
      severity: 'error',
      from: { path: '^libs/bundle/src', pathNot: '\\.spec\\.ts$|^libs/bundle/src/files/' },
      to: { path: ioOf, pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'bundle-needs-no-network',
      severity: 'error',
      from: { path: '^libs/bundle/src' },
      to: { path: '^(node:)?(net|http|https|http2|tls|dns|dgram)$' },
    },
    {
      name: 'tokens-have-no-io',
      severity: 'error',
      from: { path: '^libs/tokens/src', pathNot: '\\.spec\\.ts$' },
      to: { path: ioOf, pathNot: '^(node:)?(crypto|zlib)$' },
    },
    {
      name: 'events-import-no-lib',
      severity: 'error',
      from: { path: '^libs/(events|merkle)/' },
      to: { path: '^libs/(?!events|merkle)' },
    },
    {
      name: 'verifier-needs-little',
      severity: 'error',
      from: { path: '^libs/verifier/' },
      to: {
        path: '^(apps|libs)/',
        pathNot:
          '^libs/((verifier|events|identity|tokens|agent)/|bus/(src/(bus|letting-in)|test/somebody-else)\\.ts$)',
      },
    },
    { name: 'libs-import-no-app', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    ...['broker', 'revoker', 'auditor', 'cli'].map((app) => ({
      name: `${app}-imports-no-other-app`,
      severity: 'error',
      from: { path: `^apps/${app}/` },
      to: { path: '^apps/', pathNot: `^apps/${app}/` },
    })),
    {
      name: 'only-the-signer-signs',
      severity: 'error',
      from: { path: '^apps/auditor/src/', pathNot: '\\.spec\\.ts$|^apps/auditor/src/signer/' },
      to: { path: '^apps/auditor/src/signer/' },
    },
    {
      name: 'signer-reads-the-tree',
      severity: 'error',
      from: { path: '^apps/auditor/src/signer/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: '^(apps|libs)/',
        pathNot:
          '^apps/auditor/src/(signer/|leaf/keys\\.ts$|log/(append|checkpoints|log-error|nodes)\\.ts$)|^libs/(merkle|store|service|telemetry)/',
      },
    },
    only('kafkajs-in-its-adapter', 'node_modules/kafkajs', '^(libs/bus/src/kafka/|test/)'),
    only(
      'pg-at-the-rim',
      'node_modules/pg/',
      '^(libs/(store|providers)/src/|libs/bus/src/postgres/|apps/(auditor|broker|revoker|cli)/src/|test/)',
    ),
    only(
      'jose-in-identity',
      'node_modules/jose/',
      '^(libs/(identity|agent|verifier)/src/|.*\\.spec\\.ts$|test/)',
    ),
    only(
      'nest-only-at-the-edges',
      'node_modules/@nestjs/',
      '(\\.module|\\.controller|\\.guard)\\.ts$|^libs/bus/src/batch-server\\.ts$|^libs/service/src/(run-service|service)\\.ts$|\\.spec\\.ts$|^apps/[^/]+/test/|^test/',
    ),
    only('grpc-in-the-workload-api', 'node_modules/@grpc/', '^libs/identity/(src/workload-api|test)/'),
    only('platformatic-kafka-in-its-provider', 'node_modules/@platformatic/', '^libs/providers/src/kafka/'),
    only('redis-in-its-provider', 'node_modules/@redis/', '^libs/providers/src/redis/'),
    {
      // Their clients take half a second of a start: see open-providers.ts.
      name: 'redis-and-kafka-are-loaded-where-targets-are-of-them',
      severity: 'error',
      from: {
        path: '^(apps|libs)/',
        pathNot: '^libs/providers/src/(redis|kafka)/|(\\.spec|\\.contract)\\.ts$|/test/',
      },
      to: {
        path: '^libs/providers/src/(redis|kafka)/',
        pathNot: '/(settings|rights?)\\.ts$',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    only('cedar-in-policy', 'node_modules/@cedar-policy/', '^libs/policy/src/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|node_modules)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      conditionNames: ['source', 'import', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
