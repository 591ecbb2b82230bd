import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Wire } from './wire.contract.js';

/** Answers each request with what it heard. */
let target: Server;
let heard: string[];
let wire: Wire;

beforeEach(async () => {
  heard = [];
  target = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (request) => {
      heard.push(request.toString());
      socket.write(`you said ${request.toString()}`);
    });
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  wire = await Wire.open({ host: '127.0.0.1', port: (target.address() as AddressInfo).port });
});
afterEach(async () => {
  await wire.close();
  target.close();
});

async function client(): Promise<Socket> {
  const socket = connect(wire.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
async function ask(socket: Socket, request: string): Promise<string> {
  socket.write(request);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}
/** All that comes before the end. */
async function last(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (answer) => (text += answer.toString()));
  await once(socket, 'close');
  return text;
}

it('passes on what is said, and counts what holds a text', async () => {
  const socket = await client();
  expect(await ask(socket, 'create anna')).toBe('you said create anna');
  expect(await ask(socket, 'drop bob')).toBe('you said drop bob');
  expect([wire.requests('anna'), wire.requests('o'), wire.requests('carol')]).toEqual([1, 1, 0]);
});

it.each([
  ['request_cut', 'creat', ''],
  ['answer_cut', 'create 1', ''],
  ['answer_cut_in_half', 'create 1', 'you said'],
] as const)('loses what it is to lose: %s', async (mishap, reached, came) => {
  const socket = await client();
  wire.trap('create', mishap);
  expect(await ask(socket, 'hello')).toBe('you said hello');
  const rest = last(socket);
  socket.write(mishap === 'request_cut' ? 'create one' : 'create 1');
  expect(await rest).toBe(came);
  expect(heard).toEqual(['hello', reached]);
  expect(await ask(await client(), 'create 2')).toBe('you said create 2');
});

it('lets a request arrive when it is told to, though its sender is gone', async () => {
  const socket = await client();
  const held = wire.hold('create');
  socket.write('create 1');
  await held.arrived;
  held.loseSender();
  expect(heard).toEqual([]);
  await held.release();
  expect(heard).toEqual(['create 1']);
});

it('tells of the nth answer, and keeps it', async () => {
  const socket = await client();
  const told = new Promise<void>((resolve) => wire.afterAnswer(2, resolve));
  expect(await ask(socket, '1')).toBe('you said 1');
  socket.write('2');
  await told;
  expect(heard).toEqual(['1', '2']);
});

it('lets nobody in while it is down', async () => {
  const socket = await client();
  const closed = once(socket, 'close');
  wire.down(true);
  await closed;
  await once(await client(), 'close');
  wire.down(false);
  expect(await ask(await client(), 'hello')).toBe('you said hello');
});

it('keeps all answers to itself once it is mute', async () => {
  const socket = await client();
  expect(await ask(socket, 'hello')).toBe('you said hello');
  wire.mute();
  const rest = last(socket);
  socket.write('bye');
  while (heard.length === 1) await sleep(1);
  wire.down(true);
  expect(await rest).toBe('');
  expect(heard).toEqual(['hello', 'bye']);
});
