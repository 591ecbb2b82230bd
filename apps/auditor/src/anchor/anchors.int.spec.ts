/** Anchors of all kinds: each is brought the new heads, and none is believed without proof. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateNoteKey, generateWitnessKey, parseSigner } from '#merkle/node/keys.js';
import { SignedLog } from '../../spec/signed-log.js';
import { anchorsOf, anotherLog, never, until, WitnessedLog } from '../../spec/witnessed-log.js';
import { FileAnchor } from './file-anchor.js';
import { WitnessAnchor } from './witness-anchor.js';

let witnessed: WitnessedLog;
let log: SignedLog;
let told: string[];
beforeEach(async () => {
  witnessed = await WitnessedLog.open();
  ({ log, told } = witnessed);
});
afterEach(() => witnessed.close());

const at = (name: string) => witnessed.at(name);
const partsOf = (of: SignedLog) => witnessed.partsOf(of);
const north = () => witnessed.north();
const cosignatures = () => witnessed.cosignatures();

describe('anchors', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    server = undefined;
  });
  const badWitness = async (answer: RequestListener): Promise<WitnessAnchor> => {
    server = createServer(answer);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { vkey } = generateWitnessKey('bad.example');
    return new WitnessAnchor({ ...partsOf(log), withinMs: 60_000 }, { name: 'bad', url, vkey });
  };

  it('are brought each new head, and none waits for another', async () => {
    let asked = 0;
    const silent = await badWitness(() => (asked += 1));
    const anchors = anchorsOf(log, [silent, new FileAnchor(partsOf(log), at('files')), north()]);
    await log.grow(5);
    anchors.start();
    await until(async () => (await cosignatures()).includes(5n));
    await log.grow(3);
    const reached = async () => {
      const query = 'SELECT name, size FROM anchor ORDER BY name';
      return (await log.database.runtime.pool.query<{ name: string; size: bigint }>(query)).rows;
    };
    await until(async () => (await reached()).filter(({ size }) => size === 8n).length === 2);
    expect(await reached()).toEqual([
      { name: 'files', size: 8n },
      { name: expect.stringMatching(/^witness\.example\/north\+[0-9a-f]{8}$/) as string, size: 8n },
    ]);
    expect(asked).toBe(1);
    await anchors.stop();
  });

  it('keep nothing of what a bad witness answers', async () => {
    const head = await log.grow(5);
    const garbage = await badWitness((_request, response) => void response.end('<html>'));
    expect(await garbage.put(head, never)).toBe('ERR_ANCHOR_ANSWER_INVALID');
    expect(await cosignatures()).toEqual([]);
  });

  it('are not led around in circles', async () => {
    let turns = 0;
    const circling = await badWitness((_request, response) => {
      turns += 1;
      response.writeHead(409).end(`${turns % 2}\n`);
    });
    expect(await circling.put(await log.grow(5), never)).toBe('ERR_ANCHOR_ANSWER_INVALID');
    expect(turns).toBe(3);
  });

  it('in files refuse a log that was rolled back or written anew, and one that is another', async () => {
    const files = (of: SignedLog) => new FileAnchor(partsOf(of), at('files'));
    expect(await files(log).put(await log.grow(8))).toBeUndefined();
    expect(await files(log).put(await log.sign())).toBeUndefined();
    await anotherLog(async (other) => {
      expect(await files(other).put(await other.grow(5))).toBe('ERR_ANCHOR_AHEAD');
      expect(await files(other).put(await other.grow(3))).toBeUndefined();
      expect(await files(other).put(await other.grow(1, 'false'))).toBeUndefined();
    });
    expect(await files(log).put(await log.grow(1))).toBe('ERR_ANCHOR_CONTRADICTED');
    expect(await files(log).put(await log.grow(1))).toBe('ERR_ANCHOR_CONTRADICTED');
    const stranger = await SignedLog.open(parseSigner(generateNoteKey('other.example/log').skey));
    expect(await files(stranger).put(await stranger.grow(20))).toBe('ERR_ANCHOR_LOG_UNKNOWN');
    await stranger.drop();
  });

  it('in files are away where nothing can be written', async () => {
    const files = new FileAnchor(partsOf(log), '/dev/null/nowhere');
    expect(await files.put(await log.grow(1))).toBe('ERR_ANCHOR_AWAY');
    expect(told).toEqual(['checkpoints cannot be kept in files']);
  });
});
