/** Bounds of a service's HTTP server, and its end. */
import type { Server } from 'node:http';

const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const LOOK_AGAIN_MS = 50;

export function bound(http: Server): void {
  http.requestTimeout = REQUEST_TIMEOUT_MS;
  http.headersTimeout = REQUEST_TIMEOUT_MS;
  http.maxConnections = MAX_CONNECTIONS;
}

/** Takes no more connections, from now. Resolves when the last request is answered. */
export function close(http: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that is kept alive would otherwise hold its server open after its last answer.
    const closing = setInterval(() => http.closeIdleConnections(), LOOK_AGAIN_MS);
    http.close(() => {
      clearInterval(closing);
      resolve();
    });
  });
}
