/**
 * `unit` needs no service, `int` and `e2e` share one Kafka and two PostgreSQL servers started by test/support/services-up.mjs.
 * `conformance` is not part of `npm test`: it takes minutes, and writes docs/reference/revocation.md.
 */
const base = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // It has a condition `source` of its own, for TypeScript that nobody compiles here.
    '^eventsource-parser$': '<rootDir>/node_modules/eventsource-parser/dist/index.js',
    '^eventsource-parser/stream$': '<rootDir>/node_modules/eventsource-parser/dist/stream.js',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.mayfly/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
      },
    ],
  },
};
const services = {
  globalSetup: '<rootDir>/test/support/services-up.mjs',
  globalTeardown: '<rootDir>/test/support/services-down.mjs',
};

export default {
  reporters: ['default', '<rootDir>/test/support/tally-reporter.mjs'],
  testTimeout: 60_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testRegex: '/(apps|libs|scripts|faults|examples)/(?:(?!\\.int\\.).)*\\.spec\\.ts$',
    },
    { ...base, ...services, displayName: 'int', testRegex: '/(apps|libs|scripts)/.*\\.int\\.spec\\.ts$' },
    { ...base, ...services, displayName: 'e2e', testRegex: '/test/.*\\.e2e\\.spec\\.ts$' },
    { ...base, displayName: 'conformance', testRegex: '/libs/.*\\.conformance\\.ts$' },
  ],
};
