/** A witness until it is told to stop: `main.js --name NAME --log VKEY [--log VKEY…] [--state FOLDER] [--host HOST] [--port PORT]`. */
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { parseVerifier } from '#merkle/node/keys.js';
import { cosignerIn, Heads } from './heads.js';
import { witnessServer } from './witness.js';

const { values } = parseArgs({
  options: {
    name: { type: 'string' },
    log: { type: 'string', multiple: true, default: [] },
    state: { type: 'string', default: 'mini-witness' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '7090' },
  },
});
const { name, log, state, host, port } = values;
if (name === undefined || log.length === 0) {
  console.error('mini-witness: --name and at least one --log are wanted');
  process.exit(2);
}

mkdirSync(state, { recursive: true, mode: 0o700 });
const cosigner = cosignerIn(state, name);
const server = witnessServer({ cosigner, logs: log.map(parseVerifier), heads: new Heads(state) });
server.listen(Number(port), host, () => {
  console.log(`mini-witness ready at http://${host}:${(server.address() as AddressInfo).port}`);
  console.log(cosigner.vkey);
});
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    server.closeAllConnections();
    server.close();
  });
