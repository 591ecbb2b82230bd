/** An export of the log, verified offline from the file alone: entries a second and memory, with the table of each entry and without. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BundleWriter } from '../../dist/libs/bundle/src/files/write-bundle.js';
import { signCheckpoint } from '../../dist/libs/merkle/src/checkpoint.js';
import { append, rootOf } from '../../dist/libs/merkle/src/compact-range.js';
import { hasher } from '../../dist/libs/merkle/node/hasher.js';
import { generateNoteKey, parseSigner } from '../../dist/libs/merkle/node/keys.js';

export const name = 'audit-verify';
export const needsStack = false;

const ORIGIN = 'bench.example/log';
const VERIFIER = join(import.meta.dirname, '..', 'verify-bundle.mjs');
const BATCH = 1_000;

export async function run({ size: { entries } }) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-bench-verify-'));
  try {
    const { skey, vkey } = generateNoteKey(ORIGIN);
    const policy = join(folder, 'trust');
    writeFileSync(policy, `log ${vkey}\nquorum none\n`);
    const checkpoint = signCheckpoint(headOf(entries), [parseSigner(skey)]);
    const figures = { entries };
    for (const withTable of [true, false]) {
      const bundle = join(folder, withTable ? 'with-table' : 'without');
      write(bundle, checkpoint, entries, withTable);
      const { verdict, included, ms, processorMs, maxMiB } = JSON.parse(
        execFileSync(process.execPath, [VERIFIER, bundle, policy], { encoding: 'utf8' }),
      );
      if (verdict !== 'good' || included !== entries) throw new Error(`a good bundle is ${verdict}`);
      const of = withTable ? 'with the table' : 'without a table';
      figures[`entries/s, ${of}`] = Math.round((entries * 1_000) / ms);
      figures[`seconds, ${of}`] = ms / 1_000;
      figures[`processor µs an entry, ${of}`] = (processorMs * 1_000) / entries;
      figures[`MiB at most, ${of}`] = maxMiB;
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function headOf(entries) {
  let edge = { size: 0n, nodes: [] };
  for (let from = 0; from < entries; from += BATCH) {
    const count = Math.min(BATCH, entries - from);
    const hashes = Array.from({ length: count }, (_, i) => hasher.leaf(leafOf(from + i)));
    edge = append(hasher, edge, hashes);
  }
  return { origin: ORIGIN, size: BigInt(entries), root: rootOf(hasher, edge) };
}

function write(bundle, checkpoint, entries, withTable) {
  const head = { checkpoint, from: 0, to: entries, proof: { left: [], right: [] } };
  const writer = new BundleWriter(bundle, head, { withTable });
  try {
    for (let seq = 0; seq < entries; seq += 1) {
      const leaf = leafOf(seq);
      writer.draft.add(leaf, hasher.leaf(leaf));
    }
    writer.keep();
  } finally {
    writer.close();
  }
}

/** About 650 bytes, in the form of the envelopes that the auditor writes (JCS: members in order). */
const leafOf = (seq) =>
  Buffer.from(
    JSON.stringify({
      appendedAt: new Date(1_780_000_000_000 + seq).toISOString(),
      authenticated: true,
      commitments: { headers: HASH, value: HASH },
      event: {
        action: 'read',
        agent: 'spiffe://dev.mayfly/agent/analyst',
        callId: `01928c5e-0000-7000-8000-${seq.toString(16).padStart(12, '0')}`,
        checks: [{ check: 'task_live', ok: true }],
        dataset: 'crm.orders',
        decision: seq % 3 === 0 ? 'deny' : 'permit',
        tool: 'sql.query',
      },
      id: `01928c5e-0001-7000-8000-${seq.toString(16).padStart(12, '0')}`,
      offset: String(seq),
      partition: seq % 12,
      service: 'broker',
      store: '01928c5e-0002-7000-8000-000000000001',
      task: '01928c5e-0003-7000-8000-000000000001',
      topic: 'mayfly.credential.events.v1',
      type: 'call.decided',
      v: 1,
      valueBytes: 700,
    }),
  );
const HASH = Buffer.alloc(32, 7).toString('base64url');
