/** The sample with what its configuration leaves out: a service that may introspect, and receivers of security events and notifications. */
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';

/** Who serves the tool `orders.api`. */
export const ORDERS_SERVICE = 'spiffe://dev.mayfly/service/orders';

export interface Receiver {
  id: string;
  audience: string;
  url?: string;
  authorization?: string;
  poller?: string;
}

const sample = join(import.meta.dirname, '..', '..', 'deploy', 'sample');

/**
 * @param folder for the configuration
 * @returns environment for `startStack`
 */
export async function sampleWithOutlets(
  folder: string,
  receivers: Receiver[] = [],
  notifications: object[] = [],
): Promise<NodeJS.ProcessEnv> {
  // The revoker's configuration names the issuer of tokens, so it is known before anything is started.
  const port = String(await freePort());
  await cp(sample, folder, { recursive: true });
  await change(join(folder, 'mayfly.yaml'), (file) => {
    if (notifications.length > 0)
      file.setIn(['services', 'broker', 'notifications'], file.createNode(notifications));
    if (receivers.length === 0) return;
    const caep = { tokenIssuer: `http://127.0.0.1:${port}`, receivers };
    file.setIn(['services', 'revoker', 'caep'], file.createNode(caep));
  });
  await change(join(folder, 'catalogue', 'tools.yaml'), (file) => {
    const tools = file.toJS() as { id: string }[];
    const index = tools.findIndex(({ id }) => id === 'orders.api');
    file.setIn([index, 'verifiers'], [ORDERS_SERVICE]);
  });
  return { MAYFLY_BROKER_PORT: port, MAYFLY_CONFIG: join(folder, 'mayfly.yaml') };
}

async function change(path: string, edit: (file: Document) => void): Promise<void> {
  const file = parseDocument(await readFile(path, 'utf8'));
  edit(file);
  await writeFile(path, file.toString());
}

/** One that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
