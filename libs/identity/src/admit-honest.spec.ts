import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  AGENT,
  AGENT_ED25519_KEY,
  AGENT_KEY,
  APPENDED_AT_MS,
  CE_ID,
  NOW_S,
  OTHER_KEY,
  TOOL_CALLED,
  corpTrust,
  publicOf,
  TASK_ID,
  send,
  thumbprintOf,
  type Sending,
} from '../test/fixtures.js';
import { admit } from './admit.js';

const ENDED = {
  type: 'dev.mayfly.task.ended.v1',
  data: { taskId: TASK_ID, outcome: 'completed' },
} satisfies Sending;

const BOUND = `mayfly:jkt:${thumbprintOf(publicOf(AGENT_KEY))}`;
const EXPIRED = { svidClaims: { iat: NOW_S - 600, exp: NOW_S - 300 } } satisfies Sending;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('an honest record', () => {
  it('is admitted with its authenticated sender', () => {
    const record = send();
    expect(admit(record, corpTrust())).toEqual({
      ok: true,
      admitted: {
        event: { type: 'tool.called', data: TOOL_CALLED },
        ceId: CE_ID,
        wireType: 'dev.mayfly.tool.called.v1',
        sender: AGENT,
        proofKeyThumbprint: thumbprintOf(publicOf(AGENT_KEY)),
        svidSha256: sha256(String(record.headers['mayfly-svid'])),
        svidExpired: false,
        valueSha256: sha256(JSON.stringify(TOOL_CALLED)),
        appendedAtMs: APPENDED_AT_MS,
      },
    });
  });

  const honest: [string, Sending][] = [
    ['proved with Ed25519', { agentKey: AGENT_ED25519_KEY }],
    [
      'proved with Ed25519 under its older name',
      { agentKey: AGENT_ED25519_KEY, proofHeader: { alg: 'EdDSA' } },
    ],
    ['whose SVID has a single audience as a string', { svidClaims: { aud: BOUND } }],
    ['whose SVID has no typ', { svidHeader: { typ: undefined } }],
    ['whose SVID has no key id', { svidHeader: { kid: undefined } }],
    ['whose SVID expired within the leeway', { svidClaims: { exp: NOW_S - 2 } }],
    ['proved 60 s before it arrived', { proofClaims: { iat: NOW_S - 60 } }],
    ['proved 60 s after it arrived', { proofClaims: { iat: NOW_S + 60 } }],
    [
      'with a charset in its content type',
      { headers: { 'content-type': 'application/json; charset=utf-8' } },
    ],
    ['that repeats its sender in the data', { data: { ...TOOL_CALLED, agent: AGENT } }],
    ['with headers nobody knows', { headers: { 'x-anything': ['a', 'b'] } }],
    ['with a time nobody believes', { headers: { ce_time: '1999-01-01T00:00:00.000Z' } }],
    ['with members nobody knows', { data: { ...TOOL_CALLED, later: { deep: [1, 2] } } }],
  ];
  it.each(honest)('%s is admitted', (_what, sending) => {
    expect(admit(send(sending), corpTrust())).toMatchObject({ ok: true, admitted: { sender: AGENT } });
  });

  it('drops the members that the schema does not know', () => {
    const admission = admit(send({ data: { ...TOOL_CALLED, later: 1 } }), corpTrust());
    expect(admission).toMatchObject({ ok: true, admitted: { event: { data: TOOL_CALLED } } });
    expect(JSON.stringify(admission)).not.toContain('later');
  });

  it('keeps a traceparent in the W3C form and drops any other', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(admit(send({ headers: { traceparent } }), corpTrust())).toMatchObject({
      admitted: { traceparent },
    });
    const bent = admit(send({ headers: { traceparent: 'x\0y' } }), corpTrust());
    expect(bent.ok && Object.hasOwn(bent.admitted, 'traceparent')).toBe(false);
  });

  it('is admitted again from a warm cache', () => {
    const trust = corpTrust();
    expect(admit(send(), trust)).toMatchObject({ ok: true });
    const record = send();
    expect(admit(record, trust)).toEqual(admit(record, trust));
  });
});

describe('a task.ended whose SVID has merely expired', () => {
  it('still ends, and says so', () => {
    expect(admit(send({ ...ENDED, ...EXPIRED }), corpTrust())).toMatchObject({
      ok: true,
      admitted: { svidExpired: true, event: { type: 'task.ended' } },
    });
  });

  it('is refused if the SVID is forged as well', () => {
    expect(admit(send({ ...ENDED, ...EXPIRED, issuerKey: OTHER_KEY }), corpTrust())).toMatchObject({
      ok: false,
      refusal: { code: 'ERR_SVID_INVALID' },
    });
  });

  it('is refused if its proof is stale', () => {
    const stale = send({ ...ENDED, ...EXPIRED, proofClaims: { iat: NOW_S - 300 } });
    expect(admit(stale, corpTrust())).toMatchObject({ refusal: { code: 'ERR_PROOF_STALE' } });
  });
});
