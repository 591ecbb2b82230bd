import { createServer, type AddressInfo, type Server } from 'node:net';
import { freePort, portChoice, takePort, withPort } from './ports.mjs';
import { Problem } from './problem.mjs';

const lost = () => Object.assign(new Error('lost'), { portTaken: true });

describe('a port from the environment', () => {
  it.each([undefined, ''])('is the default when it says %p', (value) =>
    expect(portChoice('P', value, 7070)).toEqual({ variable: 'P', wanted: 7070, explicit: false }),
  );
  it('is the one that was set', () =>
    expect(portChoice('P', '8080', 7070)).toEqual({ variable: 'P', wanted: 8080, explicit: true }));
  it('is any free one for 0', () =>
    expect(portChoice('P', '0', 7070)).toEqual({ variable: 'P', wanted: 0, explicit: false }));
  it.each(['http', '-1', '65536', '80 80', '1e3'])('is refused when it is `%s`', (value) =>
    expect(() => portChoice('P', value, 7070)).toThrow(Problem),
  );
});

describe('taking a port', () => {
  let taken: Server;
  let port: number;

  beforeAll(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    port = (taken.address() as AddressInfo).port;
  });
  afterAll(() => taken.close());

  it('takes another one in place of a default that is in use', async () =>
    expect(await takePort({ variable: 'P', wanted: port, explicit: false })).not.toBe(port));
  it('refuses an explicit one that is in use', () =>
    expect(takePort({ variable: 'P', wanted: port, explicit: true })).rejects.toThrow(
      `P asks for port ${port}`,
    ));
  it('takes the default when it is free', async () => {
    const wanted = await freePort();
    expect(await takePort({ variable: 'P', wanted, explicit: false })).toBe(wanted);
  });
});

describe('a port that another program took meanwhile', () => {
  it('is chosen anew', async () => {
    const tried: number[] = [];
    const got = await withPort({ variable: 'P', wanted: 0, explicit: false }, (port) => {
      tried.push(port);
      return tried.length < 3 ? Promise.reject(lost()) : Promise.resolve(port);
    });
    expect(tried).toHaveLength(3);
    expect(got).toBe(tried[2]);
  });
  it('is given up after three tries', () =>
    expect(
      withPort({ variable: 'P', wanted: 0, explicit: false }, () => Promise.reject(lost())),
    ).rejects.toThrow('lost'));
  it('is an error of the user when it was set explicitly', async () => {
    const wanted = await freePort();
    await expect(
      withPort({ variable: 'P', wanted, explicit: true }, () => Promise.reject(lost())),
    ).rejects.toThrow(Problem);
  });
  it('is not blamed for other failures', () =>
    expect(
      withPort({ variable: 'P', wanted: 0, explicit: false }, () => Promise.reject(new Error('disk'))),
    ).rejects.toThrow('disk'));
});
