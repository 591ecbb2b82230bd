/**
 * Statements that are sent in one turn of the event loop leave in one write to the socket. The client writes each by itself,
 * and on a busy machine those system calls cost as much as the statements.
 */
import type pg from 'pg';

interface Corked {
  connection: { stream: { cork(): void; uncork(): void } };
}

/** For each connection of a pool, once it is connected. */
export function inOneWrite(client: pg.PoolClient): void {
  // The stream is not in the client's types; it has been there since its first version.
  const { stream } = (client as unknown as Corked).connection;
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  let isCorked = false;
  const corking = (...args: unknown[]): unknown => {
    if (!isCorked) {
      isCorked = true;
      stream.cork();
      setImmediate(() => {
        isCorked = false;
        stream.uncork();
      });
    }
    return query(...args);
  };
  client.query = corking as typeof client.query;
}
