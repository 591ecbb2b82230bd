import { CompactEncrypt, importJWK } from 'jose';
import { AnswerBook } from './answer-book.js';
import type { Answer, DeliveryRecord } from './answer-book.js';
import { generateSealKey } from './seal-key.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const CALL = '0192f0a0-0000-7000-8000-000000000002';
const LEASE = '0192f0a0-0000-7000-8000-00000000000a';
const AGENT = 'spiffe://dev.mayfly/agent/analyst';
const key = generateSealKey();
const call = { taskId: TASK, callId: CALL, agent: AGENT, sealKid: key.thumbprint };

const record = (type: string, value: string, over: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  service: 'broker',
  head: {
    id: '0192f0a0-0000-7000-8000-0000000000f1',
    source: '//mayfly/broker',
    type: `dev.mayfly.${type}.v1`,
    subject: TASK,
    time: '2026-11-24T19:00:00.000Z',
    contentType: 'application/json',
  },
  value: Buffer.from(value),
  ...over,
});
const refused = (over: object = {}) =>
  record(
    'call.refused',
    JSON.stringify({
      taskId: TASK,
      callId: CALL,
      agent: AGENT,
      code: 'ERR_DATASET_FORBIDDEN',
      reasons: ['no-hr'],
      ...over,
    }),
  );
const pending = record(
  'call.pending',
  JSON.stringify({
    ...{ taskId: TASK, callId: CALL, agent: AGENT, approval: 'a-7', expiresAt: '2026-11-24T19:15:00.000Z' },
  }),
);
const ended = record('lease.ended', JSON.stringify({ taskId: TASK, leaseId: LEASE, cause: 'task_ended' }));

const sealedFor = async (agent: string) =>
  new CompactEncrypt(Buffer.from('{}'))
    .setProtectedHeader({
      alg: 'ECDH-ES',
      enc: 'A256GCM',
      typ: 'mayfly-credential+jwe',
      kid: key.thumbprint,
      leaseId: LEASE,
      taskId: TASK,
      callId: CALL,
      agent,
      topic: 'mayfly.credential.delivery.v1',
    })
    .encrypt(await importJWK(key.publicJwk, 'ECDH-ES'));

describe('answer book', () => {
  let envelope: string;
  let book: AnswerBook;
  let answers: Answer[];

  beforeAll(async () => {
    envelope = await sealedFor(AGENT);
  });
  beforeEach(() => {
    book = new AnswerBook();
    answers = [];
    book.watch(call, (answer) => answers.push(answer));
  });

  it('gives a call its envelope, once', () => {
    book.take(record('credential.delivered', envelope));
    book.take(record('credential.delivered', envelope));
    expect(answers).toEqual([{ answer: 'delivered', leaseId: LEASE, envelope }]);
  });

  it('gives a call no envelope of another agent that copied its id and its seal key', async () => {
    book.take(record('credential.delivered', await sealedFor('spiffe://dev.mayfly/agent/planner')));
    expect(answers).toEqual([]);
  });

  it('gives a call its refusal', () => {
    book.take(refused());
    expect(answers).toEqual([{ answer: 'refused', code: 'ERR_DATASET_FORBIDDEN', reasons: ['no-hr'] }]);
  });

  it('tells that a call waits for people, as its answer', () => {
    book.take(pending);
    expect(answers).toMatchObject([{ answer: 'pending', approval: 'a-7' }]);
  });

  it('goes on watching a call that waits, where that is wanted', () => {
    const patient = new AnswerBook();
    const told: string[] = [];
    patient.watch(
      call,
      (answer) => answers.push(answer),
      ({ approval }) => told.push(approval),
    );
    patient.take(pending);
    patient.take(record('credential.delivered', envelope));
    expect(told).toEqual(['a-7']);
    expect(answers).toEqual([{ answer: 'delivered', leaseId: LEASE, envelope }]);
  });

  it('calls an envelope void when the end of its lease was seen first', () => {
    book.take(ended);
    book.take(record('credential.delivered', envelope));
    expect(answers).toEqual([{ answer: 'void', leaseId: LEASE, cause: 'task_ended' }]);
  });

  it('takes no answer from a service that does not give it', () => {
    book.take({ ...refused(), service: 'revoker' });
    book.take(record('credential.delivered', envelope, { service: 'auditor' }));
    book.take({ ...ended, service: 'auditor' });
    expect(answers).toEqual([]);
    book.take(record('credential.delivered', envelope));
    expect(answers).toEqual([{ answer: 'delivered', leaseId: LEASE, envelope }]);
  });

  it('passes over the answers of other agents and other calls', () => {
    book.take(refused({ agent: 'spiffe://dev.mayfly/agent/planner' }));
    book.take(refused({ callId: '0192f0a0-0000-7000-8000-0000000000ee' }));
    expect(answers).toEqual([]);
  });

  it('passes over an envelope of the same call id that is sealed to another key', () => {
    const other = new AnswerBook();
    other.watch({ ...call, sealKid: 'another' }, (answer) => answers.push(answer));
    other.take(record('credential.delivered', envelope));
    expect(answers).toEqual([]);
  });

  it('passes over a record whose subject is not the task inside it', () => {
    book.take(refused({ taskId: '0192f0a0-0000-7000-8000-0000000000ee' }));
    expect(answers).toEqual([]);
  });

  it.each(['call.refused', 'call.pending', 'lease.ended', 'credential.delivered', 'call.unheard_of'])(
    'passes over a %s that cannot be read',
    (type) => {
      book.take(record(type, '{'));
      book.take(record(type, '{"taskId":1}'));
      book.take(record(type, '', { value: null }));
      expect(answers).toEqual([]);
    },
  );

  it('answers nobody who stopped watching', () => {
    const other = new AnswerBook();
    const stop = other.watch(call, (answer) => answers.push(answer));
    stop();
    other.take(refused());
    expect(answers).toEqual([]);
  });
});
