import { canonical } from '#events/jcs.js';
import { FROM, GOOD, LOG, resealed, TO, withFile, withManifest } from '../spec/changed-bundle.js';
import { envelope, filesOf, leaves, ORIGIN, SmallLog, TRUST } from '../spec/small-log.js';
import { TAMPERINGS } from '../spec/tampered.js';
import { verifyBundle } from './verify-bundle.js';

const log = new SmallLog(leaves(40));
const verdictOn = (parts: Parameters<typeof filesOf>[0], since?: Parameters<typeof verifyBundle>[2]) =>
  verifyBundle(filesOf(parts), TRUST, since);

it('says what was verified', () => {
  expect(verdictOn(GOOD)).toEqual({
    verdict: 'good',
    origin: ORIGIN,
    from: FROM,
    to: TO,
    included: TO - FROM,
    checkpoint: { size: 21n, root: LOG.head().root, signedBy: [`${ORIGIN}+a21afb2a`], cosignedBy: [] },
    extendsSize: null,
    findings: [],
    badEntries: 0,
  });
});

it('verifies every range of every small log', () => {
  const bad = [];
  for (let size = 1; size <= 18; size += 1)
    for (let from = 0; from < size; from += 1)
      for (let to = from + 1; to <= size; to += 1)
        if (verdictOn(log.bundle({ from, to, size, withTable: false })).verdict !== 'good')
          bad.push([from, to, size]);
  expect(bad).toEqual([]);
});

it('verifies a bundle without a table', () => {
  expect(verdictOn(log.bundle({ withTable: false })).verdict).toBe('good');
});

it('verifies more entries than are hashed at once', () => {
  const long = new SmallLog(leaves(4_100));
  expect(verdictOn(long.bundle({ since: 7 }), long.head(4_099))).toMatchObject({
    verdict: 'good',
    included: 4_100,
    extendsSize: 4_099n,
  });
});

describe.each(TAMPERINGS)('$what', ({ parts, code, place }) => {
  it(`is refused: ${code} at ${place}`, () => {
    const { verdict, findings } = verdictOn(parts);
    expect(verdict).toBe('altered');
    expect(findings[0]).toMatchObject({ code, place });
  });
});

it('finds every member of an envelope that was changed alone', () => {
  const [at, whole] = [7, JSON.parse(canonical(envelope(7))) as Json];
  const changes = changedAlone(whole);
  expect(changes.length).toBeGreaterThan(20);
  for (const { path, value } of changes) {
    const forged = new SmallLog(log.leaves.with(at, Buffer.from(canonical(value)))).bundle();
    const parts = resealed(withFile(log.bundle(), 'entries.jsonl', forged.get('entries.jsonl')!));
    const { verdict, findings } = verdictOn(parts);
    expect([path, verdict, findings[0]?.place]).toEqual([path, 'altered', `entry ${at}`]);
  }
});

it('names the first five of many bad entries, and counts them', () => {
  const text = GOOD.get('entries.jsonl')!.toString().replaceAll('"v":1', '"v":2');
  const forged = resealed(withFile(GOOD, 'entries.jsonl', Buffer.from(text)));
  const { findings, badEntries, included } = verdictOn(forged);
  expect(findings.map(({ seq }) => seq)).toEqual([3, 4, 5, 6, 7]);
  expect([badEntries, included]).toEqual([TO - FROM, 0]);
});

it('says of a bundle with one bad entry how many are in the log all the same', () => {
  const [altered] = TAMPERINGS;
  expect(verdictOn(altered!.parts)).toMatchObject({ included: TO - FROM - 1, badEntries: 1 });
});

describe('an earlier checkpoint', () => {
  it('is extended by the log, wherever the bundle reaches it or proves it', () => {
    for (let then = 0; then <= 21; then += 1) {
      const { verdict, extendsSize } = verdictOn(
        LOG.bundle({ from: FROM, to: TO, ...(then === 0 ? {} : { since: then }) }),
        LOG.head(then),
      );
      expect([then, verdict, extendsSize]).toEqual([then, 'good', BigInt(then)]);
    }
  });

  it('is not extended by a log that was rewritten and signed anew with its own key', () => {
    const rewritten = new SmallLog(LOG.leaves.with(1, Buffer.from('{"v":1}')));
    for (let then = 2; then <= 21; then += 1)
      expect(verdictOn(rewritten.bundle({ since: then }), LOG.head(then))).toMatchObject({
        verdict: 'altered',
        extendsSize: null,
        findings: [{ code: 'ERR_BUNDLE_LOG_REWRITTEN', place: 'earlier checkpoint' }],
      });
  });

  it('is not extended by a proof that somebody changed', () => {
    const parts = withManifest(LOG.bundle({ from: 12, since: 5 }), (manifest) => {
      manifest.proof.since!.hashes.reverse();
    });
    expect(verdictOn(parts, LOG.head(5)).findings).toEqual([
      { code: 'ERR_BUNDLE_LOG_REWRITTEN', place: 'earlier checkpoint' },
    ]);
  });

  it.each([
    [
      'that nothing in the bundle reaches',
      LOG.bundle({ from: 12 }),
      LOG.head(5),
      'ERR_BUNDLE_SINCE_UNPROVEN',
    ],
    ['newer than the bundle', log.bundle({ to: 5, size: 20 }), log.head(21), 'ERR_BUNDLE_SINCE_NEWER'],
  ])('%s cannot be judged', (_what, parts, since, code) => {
    expect(verdictOn(parts, since)).toMatchObject({ verdict: 'unjudged', findings: [{ code }] });
  });

  it('of another log is refused', () => {
    expect(verdictOn(GOOD, { ...LOG.head(5), origin: 'other.example/log' }).findings).toEqual([
      { code: 'ERR_BUNDLE_SINCE_OTHER_LOG', place: 'earlier checkpoint' },
    ]);
  });
});

it('does not judge a later version of the format', () => {
  const parts = withManifest(GOOD, (manifest) => Object.assign(manifest, { format: 'mayfly-bundle/2' }));
  expect(verdictOn(parts)).toMatchObject({ verdict: 'unjudged', findings: [{ code: 'ERR_BUNDLE_VERSION' }] });
});

type Json = { [member: string]: unknown };

/** The envelope once for each of its leaves, with that one changed. */
function changedAlone(value: unknown, path = ''): { path: string; value: unknown }[] {
  if (typeof value !== 'object' || value === null)
    return [
      {
        path,
        value:
          typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${String(value)}x`,
      },
    ];
  return Object.entries(value).flatMap(([member, inner]) =>
    changedAlone(inner, `${path}/${member}`).map((change) => ({
      path: change.path,
      value: Array.isArray(value)
        ? value.with(Number(member), change.value)
        : { ...value, [member]: change.value },
    })),
  );
}
