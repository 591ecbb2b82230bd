import { describe, expect, it } from '@jest/globals';
import type { RefusalCode } from '#events/refusal.js';
import {
  AGENT_ED25519_KEY,
  AGENT_KEY,
  APPENDED_AT_MS,
  ISSUER_KEY,
  KID,
  NOW_S,
  OTHER_KEY,
  OTHER_TASK_ID,
  TOOL_CALLED,
  corpTrust,
  publicOf,
  send,
  thumbprintOf,
  type Sending,
} from '../test/fixtures.js';
import { admit } from './admit.js';

const json = (text: string) => Buffer.from(text);

const BOUND = `mayfly:jkt:${thumbprintOf(publicOf(AGENT_KEY))}`;
const EXPIRED = { svidClaims: { iat: NOW_S - 600, exp: NOW_S - 300 } } satisfies Sending;

const hs256 = () => {
  const [header, payload] = ['{"alg":"HS256","typ":"JWT"}', '{}'].map((s) =>
    Buffer.from(s).toString('base64url'),
  );
  return `${header}.${payload}.AAAA`;
};

/** What is wrong, how it is sent, what it is called. None of these has an authenticated sender. */
const hostile: [string, Sending, RefusalCode][] = [
  ['a value over the limit', { value: Buffer.alloc(262_145, 0x20) }, 'ERR_RECORD_TOO_LARGE'],
  ['a header over the limit', { headers: { 'x-big': Buffer.alloc(32_769) } }, 'ERR_RECORD_TOO_LARGE'],
  [
    'headers without end',
    { headers: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`x${n}`, 'x'])) },
    'ERR_RECORD_TOO_LARGE',
  ],
  ['no SVID', { headers: { 'mayfly-svid': undefined } }, 'ERR_HEADER_MISSING'],
  ['no proof', { headers: { 'mayfly-proof': undefined } }, 'ERR_HEADER_MISSING'],
  ['no ce_id', { headers: { ce_id: undefined } }, 'ERR_HEADER_MISSING'],
  ['no ce_time', { headers: { ce_time: undefined } }, 'ERR_HEADER_MISSING'],
  ['a doubled SVID', { headers: { 'mayfly-svid': ['a', 'b'] } }, 'ERR_HEADER_DOUBLED'],
  [
    'a doubled ce_type',
    { headers: { ce_type: ['dev.mayfly.task.ended.v1', 'dev.mayfly.tool.called.v1'] } },
    'ERR_HEADER_DOUBLED',
  ],
  ['a doubled subject token', { headers: { 'mayfly-subject': ['a', 'b'] } }, 'ERR_HEADER_DOUBLED'],
  ['another CloudEvents version', { headers: { ce_specversion: '0.3' } }, 'ERR_HEADER_INVALID'],
  ['a ce_id that is no UUIDv7', { headers: { ce_id: '7' } }, 'ERR_HEADER_INVALID'],
  ['a header that is no UTF-8', { headers: { ce_type: Buffer.from([0xff, 0xfe]) } }, 'ERR_HEADER_INVALID'],
  ['another content type', { headers: { 'content-type': 'application/xml' } }, 'ERR_HEADER_INVALID'],
  ['an unknown type', { type: 'dev.mayfly.task.exploded.v1' }, 'ERR_TYPE_UNKNOWN'],
  ['a type that is a member of every object', { type: 'dev.mayfly.constructor.v1' }, 'ERR_TYPE_UNKNOWN'],
  ['another version of a type', { type: 'dev.mayfly.tool.called.v2' }, 'ERR_TYPE_UNKNOWN'],
  ['an outbound type', { type: 'dev.mayfly.lease.issued.v1' }, 'ERR_TYPE_UNKNOWN'],
  ['no key', { key: null }, 'ERR_KEY_MISMATCH'],
  ['the key of another task', { key: Buffer.from(OTHER_TASK_ID) }, 'ERR_KEY_MISMATCH'],
  ['the subject of another task', { headers: { ce_subject: OTHER_TASK_ID } }, 'ERR_KEY_MISMATCH'],
  ['the data of another task', { data: { ...TOOL_CALLED, taskId: OTHER_TASK_ID } }, 'ERR_KEY_MISMATCH'],
  ['no value', { value: null }, 'ERR_JSON_MALFORMED'],
  ['an empty value', { value: Buffer.alloc(0) }, 'ERR_JSON_MALFORMED'],
  ['half a JSON', { value: json('{"taskId":') }, 'ERR_JSON_MALFORMED'],
  ['a JSON array', { value: json('[]') }, 'ERR_JSON_MALFORMED'],
  ['a byte order mark', { value: json(`\ufeff${JSON.stringify(TOOL_CALLED)}`) }, 'ERR_JSON_MALFORMED'],
  [
    'a value that is no UTF-8',
    { value: Buffer.concat([json('{"taskId":"'), Buffer.from([0xc3, 0x28]), json('"}')]) },
    'ERR_JSON_MALFORMED',
  ],
  ['brackets without end', { value: json(`${'['.repeat(200_000)}`) }, 'ERR_JSON_MALFORMED'],
  ['an SVID that is no token', { svid: 'not-a-token' }, 'ERR_SVID_INVALID'],
  ['an SVID with alg none', { svidHeader: { alg: 'none' } }, 'ERR_SVID_INVALID'],
  ['an SVID with alg HS256', { svid: hs256() }, 'ERR_SVID_INVALID'],
  ['an SVID with EdDSA', { issuerKey: AGENT_ED25519_KEY, svidHeader: { alg: 'EdDSA' } }, 'ERR_SVID_INVALID'],
  [
    'an SVID that brings its own key',
    { svidHeader: { jwk: publicOf(OTHER_KEY) }, issuerKey: OTHER_KEY },
    'ERR_SVID_INVALID',
  ],
  [
    'an SVID that says where its key is',
    { svidHeader: { jku: 'https://evil.example/' } },
    'ERR_SVID_INVALID',
  ],
  ['an SVID of another typ', { svidHeader: { typ: 'at+jwt' } }, 'ERR_SVID_INVALID'],
  ['an SVID with a critical extension', { svidHeader: { crit: ['b64'], b64: false } }, 'ERR_SVID_INVALID'],
  ['an SVID without an end', { svidClaims: { exp: undefined } }, 'ERR_SVID_INVALID'],
  ['an SVID without a beginning', { svidClaims: { iat: undefined } }, 'ERR_SVID_INVALID'],
  ['an SVID for more than 24 h', { svidClaims: { exp: NOW_S + 86_400 } }, 'ERR_SVID_INVALID'],
  ['an SVID for later', { svidClaims: { iat: NOW_S + 10 } }, 'ERR_SVID_INVALID'],
  ['an SVID not before later', { svidClaims: { nbf: NOW_S + 10 } }, 'ERR_SVID_INVALID'],
  ['an SVID whose subject is no SPIFFE id', { svidClaims: { sub: 'maria' } }, 'ERR_SVID_INVALID'],
  [
    'an SVID whose subject walks upwards',
    { svidClaims: { sub: 'spiffe://corp.example/agent/../admin' } },
    'ERR_SVID_INVALID',
  ],
  ['a forged SVID', { issuerKey: OTHER_KEY }, 'ERR_SVID_INVALID'],
  ['an expired SVID', EXPIRED, 'ERR_SVID_EXPIRED'],
  [
    'an SVID of an unknown trust domain',
    {
      svidClaims: { sub: 'spiffe://evil.example/agent/analyst' },
      headers: { ce_source: 'spiffe://evil.example/agent/analyst' },
    },
    'ERR_SVID_UNTRUSTED',
  ],
  ['an SVID by an unknown key', { svidHeader: { kid: 'nobody' } }, 'ERR_SVID_UNTRUSTED'],
  ['an SVID whose algorithm is not its key\u2019s', { svidHeader: { alg: 'ES384' } }, 'ERR_SVID_UNTRUSTED'],
  [
    'another source than the SVID\u2019s subject',
    { headers: { ce_source: 'spiffe://corp.example/agent/planner' } },
    'ERR_SOURCE_MISMATCH',
  ],
  ['an SVID with the plain audience', { svidClaims: { aud: ['mayfly'] } }, 'ERR_SVID_NOT_BOUND'],
  ['an SVID for somebody else', { svidClaims: { aud: ['payments'] } }, 'ERR_SVID_NOT_BOUND'],
  ['an SVID with two audiences', { svidClaims: { aud: [BOUND, 'payments'] } }, 'ERR_SVID_NOT_BOUND'],
  ['an SVID with no audience', { svidClaims: { aud: [] } }, 'ERR_SVID_NOT_BOUND'],
  [
    'an SVID bound to another agent\u2019s key',
    { svidClaims: { aud: [`mayfly:jkt:${thumbprintOf(publicOf(OTHER_KEY))}`] } },
    'ERR_SVID_NOT_BOUND',
  ],
  [
    'a copied SVID with the thief\u2019s own key',
    { proofHeader: { jwk: publicOf(OTHER_KEY) }, proofKey: OTHER_KEY },
    'ERR_SVID_NOT_BOUND',
  ],
  ['an SVID whose audience is no text', { svidClaims: { aud: [7] } }, 'ERR_SVID_INVALID'],
  ['a proof that is no token', { headers: { 'mayfly-proof': 'a.b' } }, 'ERR_PROOF_INVALID'],
  [
    'a proof longer than the limit',
    { headers: { 'mayfly-proof': `e30.${'A'.repeat(16_384)}.AAAA` } },
    'ERR_PROOF_INVALID',
  ],
  ['a proof of another typ', { proofHeader: { typ: 'dpop+jwt' } }, 'ERR_PROOF_INVALID'],
  ['a proof with alg none', { proofHeader: { alg: 'none' } }, 'ERR_PROOF_INVALID'],
  ['a proof with alg HS256', { proofHeader: { alg: 'HS256' } }, 'ERR_PROOF_INVALID'],
  ['a proof with an algorithm only SVIDs may have', { proofHeader: { alg: 'ES384' } }, 'ERR_PROOF_INVALID'],
  ['a proof whose algorithm is not its key\u2019s', { proofHeader: { alg: 'Ed25519' } }, 'ERR_PROOF_INVALID'],
  ['a proof that gives its private key away', { proofHeader: { jwk: AGENT_KEY } }, 'ERR_PROOF_INVALID'],
  ['a proof without a key', { proofHeader: { jwk: undefined } }, 'ERR_PROOF_INVALID'],
  ['a proof with a symmetric key', { proofHeader: { jwk: { kty: 'oct', k: 'AAAA' } } }, 'ERR_PROOF_INVALID'],
  [
    'a proof with a padded key',
    { proofHeader: { jwk: { ...publicOf(AGENT_KEY), x: `${AGENT_KEY.x}=` } } },
    'ERR_PROOF_INVALID',
  ],
  ['a proof without a time', { proofClaims: { iat: undefined } }, 'ERR_PROOF_INVALID'],
  ['a proof whose time is text', { proofClaims: { iat: String(NOW_S) } }, 'ERR_PROOF_INVALID'],
  ['a forged proof', { proofKey: OTHER_KEY }, 'ERR_PROOF_INVALID'],
  ['a proof with a critical extension', { proofHeader: { crit: ['exp'], exp: 1 } }, 'ERR_PROOF_INVALID'],
  ['a proof from too long ago', { proofClaims: { iat: NOW_S - 61 } }, 'ERR_PROOF_STALE'],
  ['a proof from the future', { proofClaims: { iat: NOW_S + 61 } }, 'ERR_PROOF_STALE'],
  ['a record replayed after a minute', { appendedAtMs: APPENDED_AT_MS + 60_001 }, 'ERR_PROOF_STALE'],
  [
    'a proof for another topic',
    { proofClaims: { topic: 'mayfly.credential.events.v1' } },
    'ERR_PROOF_MISMATCH',
  ],
  ['a proof for another task', { proofClaims: { key: OTHER_TASK_ID } }, 'ERR_PROOF_MISMATCH'],
  [
    'a proof for another id',
    { headers: { ce_id: '01936f2e-8000-7000-9000-00000000000f' } },
    'ERR_PROOF_MISMATCH',
  ],
  [
    'a proof for another type',
    { proofClaims: { ce_type: 'dev.mayfly.task.ended.v1' } },
    'ERR_PROOF_MISMATCH',
  ],
  ['a proof for another value', { proofClaims: { value_sha256: '0'.repeat(64) } }, 'ERR_PROOF_MISMATCH'],
  ['a proof for another SVID', { proofClaims: { svid_sha256: '0'.repeat(64) } }, 'ERR_PROOF_MISMATCH'],
  ['a hash in capitals', { proofClaims: { value_sha256: 'A'.repeat(64) } }, 'ERR_PROOF_MISMATCH'],
];

describe('a hostile record', () => {
  it.each(hostile)('with %s is refused, and no sender is named', (_what, sending, code) => {
    const admission = admit(send(sending), corpTrust());
    expect(admission).toMatchObject({ ok: false, refusal: { code } });
    expect(admission).not.toHaveProperty('sender');
  });

  it('with a signature whose unused bits are set is refused, though every decoder reads the same bytes', () => {
    const record = send();
    const proof = String(record.headers['mayfly-proof']);
    const last = proof.at(-1) ?? '';
    const next = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.replace(last, '');
    const same = [...next].find((c) =>
      Buffer.from(`AA${c}`, 'base64url').equals(Buffer.from(`AA${last}`, 'base64url')),
    );
    record.headers['mayfly-proof'] = proof.slice(0, -1) + String(same);
    expect(admit(record, corpTrust())).toMatchObject({ refusal: { code: 'ERR_PROOF_INVALID' } });
  });

  it('is refused by a trust domain that has revoked every key', () => {
    const trust = corpTrust({ ...publicOf(ISSUER_KEY), kid: KID, use: 'sig' });
    expect(admit(send(), trust)).toMatchObject({ refusal: { code: 'ERR_SVID_UNTRUSTED' } });
  });

  it('never shows a token in its refusal', () => {
    const record = send({ issuerKey: OTHER_KEY });
    const shown = JSON.stringify(admit(record, corpTrust()));
    expect(shown).not.toContain(String(record.headers['mayfly-svid']).slice(0, 16));
  });

  it('is not helped by the authentic SVID that the cache remembers', () => {
    const trust = corpTrust();
    const honest = send();
    admit(honest, trust);
    const svid = String(honest.headers['mayfly-svid']);
    expect(admit(send({ svid, proofKey: OTHER_KEY }), trust)).toMatchObject({
      refusal: { code: 'ERR_PROOF_INVALID' },
    });
  });
});
