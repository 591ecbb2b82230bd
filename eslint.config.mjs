import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const node = Object.fromEntries(
  [
    'process',
    'console',
    'Buffer',
    'URL',
    'fetch',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'AbortController',
    'AbortSignal',
    'performance',
    'globalThis',
  ].map((name) => [name, 'readonly']),
);

/** What Node has and browsers do not. */
const NODE_ONLY = [
  'Buffer',
  'process',
  'global',
  'require',
  'module',
  '__dirname',
  '__filename',
  'setImmediate',
];

export default defineConfig(
  { ignores: ['dist/', 'coverage/', '.mayfly/', '**/*.cjs'] },
  js.configs.recommended,
  { files: ['**/*.mjs'], languageOptions: { globals: node } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'AbortSignal', property: 'any', message: 'It can lose a timeout: use anySignal.' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.ts'],
    // Tests make a few.
    ignores: ['**/*.spec.ts', '**/*.contract.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          name: 'node:crypto',
          importNames: ['generateKeyPair', 'generateKeyPairSync'],
          message: 'Its keys can stop a process for ever: use libs/identity/src/new-key.ts.',
        },
      ],
    },
  },
  {
    files: ['libs/merkle/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...NODE_ONLY.map((name) => ({ name, message: 'A browser runs this folder as it is.' })),
      ],
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^(?!\\./)', message: 'A browser runs this folder as it is.' }] },
      ],
    },
  },
);
