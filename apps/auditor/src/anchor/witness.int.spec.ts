/** B12: the log and a witness, which is `examples/mini-witness` as a process of its own. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { generateNoteKey, generateWitnessKey } from '#merkle/node/keys.js';
import { Metrics } from '#telemetry/metrics.js';
import type { WitnessProcess } from '../../../../test/support/witness-process.js';
import type { SignedLog } from '../../spec/signed-log.js';
import { anchorsOf, anotherLog, NAME, never, signer, until, WitnessedLog } from '../../spec/witnessed-log.js';

let witnessed: WitnessedLog;
let log: SignedLog;
let witness: WitnessProcess;
let told: string[];
beforeEach(async () => {
  witnessed = await WitnessedLog.open();
  ({ log, witness, told } = witnessed);
});
afterEach(() => witnessed.close());

const at = (name: string) => witnessed.at(name);
const startWitness = (more?: Parameters<WitnessedLog['startWitness']>[0]) => witnessed.startWitness(more);
const north = (of?: SignedLog, by?: WitnessProcess) => witnessed.north(of, by);
const cosignatures = (of?: SignedLog) => witnessed.cosignatures(of);

describe('B12: a witness', () => {
  it('cosigns the head, and each that extends it', async () => {
    for (const count of [1, 254, 1, 1, 43]) {
      const head = await log.grow(count);
      expect(await north().put(head, never)).toBeUndefined();
    }
    expect(await cosignatures()).toEqual([1n, 255n, 256n, 257n, 300n]);
  });

  it('cosigns an unchanged head anew', async () => {
    const head = await log.grow(5);
    expect([await north().put(head, never), await north().put(head, never)]).toEqual([undefined, undefined]);
    expect(new Set(await cosignatures())).toEqual(new Set([5n]));
  });

  it('is killed and started again: it is away meanwhile, and goes on from where it was', async () => {
    const anchor = north();
    await anchor.put(await log.grow(5), never);
    const { port } = witness;
    await witness.stop();
    const head = await log.grow(3);
    expect(await anchor.put(head, never)).toBe('ERR_ANCHOR_AWAY');
    witness = await startWitness({ port });
    expect(await anchor.put(head, never)).toBeUndefined();
    expect([await cosignatures(), told]).toEqual([[5n, 8n], []]);
  });

  it('says where it stands (409) to a log that thinks otherwise, which asks again from there', async () => {
    const pool = log.database.runtime.pool;
    await north().put(await log.grow(5), never);
    await pool.query('UPDATE anchor SET size = 0');
    expect(await north().put(await log.grow(3), never)).toBeUndefined();
    await pool.query('UPDATE anchor SET size = 2');
    expect(await north().put(await log.sign(), never)).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('is taken back where it forgot what it had cosigned, and that is told', async () => {
    await north().put(await log.grow(5), never);
    const { port } = witness;
    await witness.stop();
    mkdirSync(at('south'));
    copyFileSync(at('north/key'), at('south/key'));
    witness = await startWitness({ state: at('south'), port });
    expect(await north().put(await log.grow(3), never)).toBeUndefined();
    expect(told).toEqual(['a witness forgot what it had cosigned']);
  });

  it('refuses a log that was written anew and signed with the real key (422, 409)', async () => {
    await north().put(await log.grow(5), never);
    await anotherLog(async (other) => {
      expect(await north(other).put(await other.grow(5, 'false'), never)).toBe('ERR_ANCHOR_CONTRADICTED');
      expect(await north(other).put(await other.grow(9), never)).toBe('ERR_ANCHOR_CONTRADICTED');
      expect(await cosignatures(other)).toEqual([]);
    });
  });

  it('refuses a log that was rolled back, and readiness and metrics show it', async () => {
    await north().put(await log.grow(8), never);
    await anotherLog(async (restored) => {
      await restored.grow(5);
      const metrics = new Metrics('auditor');
      const anchors = anchorsOf(restored, [north(restored)], metrics);
      anchors.start();
      await until(() => anchors.remarks().length > 0);
      expect(anchors.remarks()).toEqual(['witness north contradicts the log: ERR_ANCHOR_AHEAD']);
      expect(await metrics.text()).toContain(
        'mayfly_audit_anchor_contradicted{anchor="witness north",service="auditor"} 1',
      );
      await anchors.stop();
    });
  });

  it.each([
    ['does not watch the log', () => generateNoteKey('other.example/log').vkey, 'ERR_ANCHOR_LOG_UNKNOWN'],
    ['has another key for the log', () => generateNoteKey(signer.name).vkey, 'ERR_ANCHOR_KEY_UNKNOWN'],
  ] as const)('says so where it %s', async (_what, logKey, code) => {
    await witness.stop();
    witness = await startWitness({ logs: [logKey()] });
    expect(await north().put(await log.grow(2), never)).toBe(code);
  });

  it('is not believed where its key is not the one that was written down', async () => {
    const stranger = { url: witness.url, vkey: generateWitnessKey(NAME).vkey } as WitnessProcess;
    const head = await log.grow(2);
    expect(await north(log, stranger).put(head, never)).toBe('ERR_ANCHOR_COSIGNATURE_INVALID');
    expect(await cosignatures()).toEqual([]);
  });
});

it.each(['the auditor’s own role', 'the owner'])(
  'a cosignature stays as it is, whatever %s tries',
  async (who) => {
    await north().put(await log.grow(2), never);
    const { runtime, owner } = log.database;
    const { pool } = who === 'the owner' ? owner : runtime;
    for (const statement of [
      "UPDATE cosignature SET line = ''",
      'DELETE FROM cosignature',
      'TRUNCATE cosignature',
    ])
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
  },
);
