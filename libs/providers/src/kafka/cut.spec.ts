import type { Connection } from '@platformatic/kafka';
import type { CheckedPlan } from './checked-plan.js';
import type { Request } from './line.js';
import { remove } from './cut.js';

const DELETE_ACLS = 31;
const ALTER_USER_SCRAM_CREDENTIALS = 51;
const plans: CheckedPlan[] = ['kdev0192', 'kdev0193', 'kdev0192'].map((principal) => ({
  ...{ leaseId: '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88', principal },
}));

/** Answers as told, by the request's number, and remembers in which order it was asked. */
class FakeCluster {
  readonly asked: number[] = [];
  readonly payloads: string[] = [];

  constructor(private readonly answers: Record<number, unknown>) {}

  any<T>(_use: string, request: Request<T>): Promise<T> {
    const send = (
      apiKey: number,
      _version: number,
      payload: () => { buffer: Buffer },
      _parser: unknown,
      _request: boolean,
      _response: boolean,
      answered: (error: Error | null, answer?: unknown) => void,
    ) => {
      this.asked.push(apiKey);
      this.payloads.push(payload().buffer.toString('latin1'));
      const answer = this.answers[apiKey];
      if (answer instanceof Error) answered(answer);
      else answered(null, answer);
    };
    return request({ send } as unknown as Connection);
  }
}
const noAcls = { filterResults: [{ errorCode: 0, matchingAcls: [] }] };
const noCredential = { results: [{ user: 'kdev0192', errorCode: 91 }] };

it('takes the ACLs first, then the credential, of either mechanism', async () => {
  const cluster = new FakeCluster({
    [DELETE_ACLS]: noAcls,
    [ALTER_USER_SCRAM_CREDENTIALS]: { results: [{ user: 'kdev0192', errorCode: 0 }] },
  });

  await remove(cluster, 'cut', plans);

  expect(cluster.asked).toEqual([DELETE_ACLS, ALTER_USER_SCRAM_CREDENTIALS, ALTER_USER_SCRAM_CREDENTIALS]);
});

it('names each once: of a user that is named twice Kafka alters nothing', async () => {
  const cluster = new FakeCluster({ [DELETE_ACLS]: noAcls, [ALTER_USER_SCRAM_CREDENTIALS]: noCredential });

  await remove(cluster, 'cut', plans);

  for (const payload of cluster.payloads) expect(payload.split('kdev0192')).toHaveLength(2);
});

it('takes the credential even where the ACLs are refused, and says so', async () => {
  const cluster = new FakeCluster({
    [DELETE_ACLS]: { filterResults: [{ errorCode: 31, matchingAcls: [] }] },
    [ALTER_USER_SCRAM_CREDENTIALS]: noCredential,
  });

  await expect(remove(cluster, 'cut', plans)).rejects.toMatchObject({ code: 'ERR_TARGET_MISCONFIGURED' });

  expect(cluster.asked).toHaveLength(3);
});

it.each([
  [
    'an ACL that could not be deleted',
    { filterResults: [{ errorCode: 0, matchingAcls: [{ errorCode: -1 }] }] },
  ],
  ['the ACLs', { filterResults: [{ errorCode: 7, matchingAcls: [] }] }],
])('is not done where nobody knows of %s', async (_what, answer) => {
  const cluster = new FakeCluster({ [DELETE_ACLS]: answer, [ALTER_USER_SCRAM_CREDENTIALS]: noCredential });

  await expect(remove(cluster, 'cut', plans)).rejects.toMatchObject({ code: 'ERR_TARGET_UNREACHABLE' });
});
