import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Proxy } from './proxy.mjs';

let heard: string[];
let server: Server;
let proxy: Proxy;
let client: Socket;
let answers: string[];

/** A server that repeats what it hears, and a client that asks it through the proxy. */
beforeEach(async () => {
  heard = [];
  answers = [];
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      heard.push(piece.toString());
      socket.write(piece);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await Proxy.open();
  proxy.to((server.address() as AddressInfo).port);
  client = await connected();
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
  server.close();
});

async function connected(): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.on('data', (piece) => answers.push(piece.toString()));
  await once(socket, 'connect');
  return socket;
}

/** Sends and waits for what comes of it. */
async function ask(what: string): Promise<'answered' | 'cut'> {
  client.write(what);
  return await Promise.race([
    once(client, 'data').then(() => 'answered' as const),
    once(client, 'close').then(() => 'cut' as const),
  ]);
}

it('passes on what both sides say', async () => {
  expect(await ask('CREATE ROLE a')).toBe('answered');
  expect(heard).toEqual(['CREATE ROLE a']);
  expect(answers).toEqual(['CREATE ROLE a']);
});

it('cuts a request in the middle: the server hears half of it', async () => {
  const sprung = proxy.trap({ text: 'CREATE', nth: 1, how: 'request_cut' });
  expect(await ask('CREATE ROLE ab')).toBe('cut');
  await sprung;
  expect(heard).toEqual(['CREATE ']);
  expect(answers).toEqual([]);
});

it('cuts the connection in place of an answer: the server has heard it all', async () => {
  const sprung = proxy.trap({ text: 'CREATE', nth: 2, how: 'answer_cut' });
  expect(await ask('CREATE ROLE a')).toBe('answered');
  expect(await ask('SELECT 1')).toBe('answered');
  expect(await ask('CREATE ROLE b')).toBe('cut');
  await sprung;
  expect(heard).toEqual(['CREATE ROLE a', 'SELECT 1', 'CREATE ROLE b']);
  expect(answers).toEqual(['CREATE ROLE a', 'SELECT 1']);
});

it('swallows an answer: the connection stays, and nothing comes back', async () => {
  void proxy.trap({ text: 'CREATE', nth: 1, how: 'answer_swallowed' });
  client.write('CREATE ROLE a');
  // Another connection is left alone; by its answer the swallowed one would be here.
  const swallowed = client;
  client = await connected();
  expect(await ask('CREATE ROLE b')).toBe('answered');
  expect(heard).toEqual(['CREATE ROLE a', 'CREATE ROLE b']);
  expect(answers).toEqual(['CREATE ROLE b']);
  expect(swallowed.destroyed).toBe(false);
  swallowed.destroy();
});

it('refuses, and lets in again', async () => {
  const gone = once(client, 'close');
  await proxy.refuse(true);
  await gone;
  await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(heard).toEqual([]);

  await proxy.refuse(false);
  client = await connected();
  expect(await ask('SELECT 1')).toBe('answered');
});

it('takes its time where told to', async () => {
  proxy.delay(40);
  const atMs = performance.now();
  expect(await ask('SELECT 1')).toBe('answered');
  expect(performance.now() - atMs).toBeGreaterThan(75);
});
