import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

// Dependencies point one way (docs/architecture.md): http, cli -> the middle folders -> stores.
// The middle folders do not know each other; http/proxy.ts is where they meet.
const middle = ['licensing', 'quota', 'upstream', 'usage', 'webhooks', 'mail'];
const oneWay = [
  ...middle.map((folder) => ({
    target: `./src/${folder}`,
    from: ['./src/http', './src/cli', ...middle.filter((other) => other !== folder).map((o) => `./src/${o}`)],
    message: 'The middle folders import neither each other nor what is above them.',
  })),
  {
    target: './src/stores',
    from: ['./src/http', './src/cli', ...middle.map((m) => `./src/${m}`)],
    message: 'stores is at the bottom: it imports nothing above it.',
  },
  {
    target: './src/observe',
    from: ['./src/http', './src/cli', './src/stores', ...middle.map((m) => `./src/${m}`)],
    message: 'observe is at the bottom: it imports nothing above it.',
  },
  { target: './src/!(http)/**/*', from: './src/http', message: 'Nothing but gateway.ts imports http.' },
  { target: './src/http', from: './src/cli', message: 'http does not know the command line.' },
  { target: './src', from: ['./test', './bench'], message: 'The product does not import its tests.' },
  {
    target: './src/!(cli)/**/*',
    from: './clients',
    message: 'Only the command line is a client of a gateway.',
  },
  {
    target: './clients',
    from: ['./src', './test', './db'],
    message: 'A client knows a gateway by HTTP alone.',
  },
];

export default tseslint.config(
  { ignores: ['dist', 'data', 'node_modules', '.test-output', 'clients/*/dist'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js'] })] },
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: oneWay }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // node:test registers tests through promises that it awaits itself; a describe block is no function to shorten.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
      'max-lines-per-function': ['error', { max: 120, skipBlankLines: true, skipComments: true }],
      'no-console': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
