import { describe, expect, it } from '@jest/globals';
import { readKeyLocation } from './key-location.js';

it.each([
  ['a path', 'keys/bundle.json', 'file'],
  ['an absolute path', '/etc/mayfly/bundle.json', 'file'],
  ['an https address', 'https://spire.corp.example/bundle', 'address'],
  ['the Workload API', 'unix:///run/spire/agent.sock', 'workload_api'],
])('keys may be at %s', (_what, location, kind) => {
  expect(readKeyLocation(location, 'production')).toMatchObject({ kind, location });
});

it('the Workload API is at the path of its socket', () => {
  expect(readKeyLocation('unix:///run/spire/agent.sock', 'production')).toMatchObject({
    socket: '/run/spire/agent.sock',
  });
});

describe('in clear', () => {
  it.each(['http://127.0.0.1:8080/bundle', 'http://[::1]/bundle'])(
    '%s is for development only',
    (location) => {
      expect(readKeyLocation(location, 'development')).toEqual({ kind: 'address', location });
      expect(() => readKeyLocation(location, 'production')).toThrow(refused);
    },
  );

  it.each(['http://spire.corp.example/bundle', 'http://localhost/bundle', 'http://127.0.0.1.evil.example/'])(
    '%s never is',
    (location) => {
      expect(() => readKeyLocation(location, 'development')).toThrow(refused);
    },
  );
});

it.each([
  ['another scheme', 'ftp://spire.corp.example/bundle'],
  ['a file as an address', 'file:///etc/bundle.json'],
  ['a password in it', 'https://me:hunter2@spire.corp.example/bundle'],
  ['a host and a socket', 'unix://host/run/agent.sock'],
  ['no socket', 'unix:///'],
  ['no host', 'https://'],
])('%s is refused', (_what, location) => {
  expect(() => readKeyLocation(location, 'development')).toThrow(refused);
});

it('a password is not shown', () => {
  const read = () => readKeyLocation('https://me:hunter2@spire.corp.example/bundle', 'production');
  expect(read).toThrow(expect.objectContaining({ fields: {} }));
});

const refused = expect.objectContaining({ code: 'ERR_IDENTITY_ISSUER_INVALID' }) as unknown;
