import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, EmbeddedJWK } from 'jose';
import { ProofKey } from './proof-key.js';
import { signEvent, subjectOf } from './signed-event.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const ID = '0192f0a0-0000-7000-8000-0000000000ff';
const NOW_MS = Date.parse('2026-11-24T19:00:00.250Z');
const SUBJECT = 'spiffe://dev.mayfly/orchestrator/sample';
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const svid = `${part({ alg: 'ES256' })}.${part({ sub: SUBJECT })}.c2ln`;
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('signed event', () => {
  const key = ProofKey.generate();
  const ended = { type: 'task.ended', data: { taskId: TASK, outcome: 'completed' }, svid, key } as const;

  it('carries the attributes of CloudEvents binary mode', () => {
    const record = signEvent({ ...ended, id: ID, nowMs: NOW_MS });
    expect(record).toMatchObject({ topic: 'mayfly.task.events.v1', key: TASK });
    expect(JSON.parse(record.value!.toString())).toEqual({ taskId: TASK, outcome: 'completed' });
    expect(record.headers).toEqual({
      ce_specversion: '1.0',
      ce_id: ID,
      ce_source: SUBJECT,
      ce_type: 'dev.mayfly.task.ended.v1',
      ce_subject: TASK,
      ce_time: '2026-11-24T19:00:00.250Z',
      'content-type': 'application/json',
      'mayfly-svid': svid,
      'mayfly-proof': expect.any(String) as string,
    });
  });

  it('proves topic, key, id, type, value and SVID with the key that it names', async () => {
    const record = signEvent({ ...ended, id: ID, nowMs: NOW_MS });
    const { payload, protectedHeader } = await compactVerify(record.headers['mayfly-proof']!, EmbeddedJWK);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'mayfly-proof+jwt' });
    expect(await calculateJwkThumbprint(protectedHeader.jwk!, 'sha256')).toBe(key.thumbprint);
    expect(JSON.parse(Buffer.from(payload).toString())).toEqual({
      topic: 'mayfly.task.events.v1',
      key: TASK,
      ce_id: ID,
      ce_type: 'dev.mayfly.task.ended.v1',
      value_sha256: sha256(record.value!),
      svid_sha256: sha256(svid),
      iat: 1795546800,
    });
  });

  it('shows no private member of the key', () => {
    const [header] = signEvent(ended).headers['mayfly-proof']!.split('.');
    expect(Buffer.from(header!, 'base64url').toString()).not.toContain('"d"');
  });

  it('gives each event an id of its own', () => {
    expect(signEvent(ended).headers.ce_id).not.toBe(signEvent(ended).headers.ce_id);
  });

  it('passes on the token of the person behind the task', () => {
    expect(signEvent({ ...ended, principalToken: 'a.b.c' }).headers['mayfly-subject']).toBe('a.b.c');
  });

  it('signs nothing that breaks the schema', () => {
    expect(() => signEvent({ ...ended, data: { taskId: 'not-a-uuid', outcome: 'completed' } })).toThrow(
      expect.objectContaining({ name: 'ZodError' }) as Error,
    );
  });

  it.each(['', 'a.b', `x.${part({ aud: 'no subject' })}.y`])(
    'refuses an SVID without a subject: %p',
    (token) => {
      expect(() => subjectOf(token)).toThrow(
        expect.objectContaining({
          code: 'ERR_SVID_MALFORMED',
          message: 'the SVID is no JWT with a subject',
        }) as Error,
      );
    },
  );
});
