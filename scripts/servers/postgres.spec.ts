import { serverSettings } from './postgres.mjs';

it('never logs a statement, which may hold a password’s verifier', () => {
  const settings = serverSettings({ port: 7432, durable: true });
  expect(settings).toContain('log_statement=none');
  expect(settings).toContain('log_min_error_statement=panic');
});
it('listens on loopback only', () =>
  expect(serverSettings({ port: 7432, durable: true })).toEqual(
    expect.arrayContaining(['listen_addresses=127.0.0.1', 'unix_socket_directories=']),
  ));
it('is careless about crashes only where it was asked to be', () => {
  expect(serverSettings({ port: 7432, durable: false })).toContain('fsync=off');
  expect(serverSettings({ port: 7432, durable: true })).not.toContain('fsync=off');
});
it('lets a caller set more', () =>
  expect(serverSettings({ port: 7432, durable: true, settings: { max_connections: 20 } })).toContain(
    'max_connections=20',
  ));
