import { describe, expect, it } from '@jest/globals';
import type { RefusalCode } from '#events/refusal.js';
import { AGENT, OTHER_KEY, TASK_ID, TOOL_CALLED, corpTrust, send, type Sending } from '../test/fixtures.js';
import { admit } from './admit.js';

const json = (text: string) => Buffer.from(text);

describe('an authentic record with bad data', () => {
  const bad: [string, Sending, RefusalCode][] = [
    ['no tool', { data: { ...TOOL_CALLED, tool: undefined } }, 'ERR_DATA_INVALID'],
    ['a TTL of nothing', { data: { ...TOOL_CALLED, ttlMs: 0 } }, 'ERR_DATA_INVALID'],
    ['a private seal key', { data: { ...TOOL_CALLED, sealTo: OTHER_KEY } }, 'ERR_DATA_INVALID'],
    ['a call id of another form', { data: { ...TOOL_CALLED, callId: 'one' } }, 'ERR_DATA_INVALID'],
    [
      'a lone surrogate',
      {
        value: json(
          JSON.stringify({ ...TOOL_CALLED, prompt: { commitment: '0'.repeat(64), ciphertext: '#' } }).replace(
            '#',
            '\\ud800',
          ),
        ),
      },
      'ERR_DATA_INVALID',
    ],
    ['a lone surrogate in a label', { ...started({ 'team\ud800': 'x' }) }, 'ERR_DATA_INVALID'],
    [
      'more labels than 64',
      started(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`team-${i}`, 'x']))),
      'ERR_DATA_INVALID',
    ],
    [
      'a deadline of a thousand digits',
      started({}, { deadline: `2026-11-24T19:45:00.${'0'.repeat(1_000)}Z` }),
      'ERR_DATA_INVALID',
    ],
    ['U+0000, which PostgreSQL cannot hold', { ...started({ team: 'a\0b' }) }, 'ERR_DATA_INVALID'],
    [
      'another agent\u2019s name',
      { data: { ...TOOL_CALLED, agent: 'spiffe://corp.example/agent/planner' } },
      'ERR_SOURCE_MISMATCH',
    ],
    ['a sender that is no text', { data: { ...TOOL_CALLED, sender: { id: AGENT } } }, 'ERR_SOURCE_MISMATCH'],
  ];
  it.each(bad)('such as %s is refused in the name of its sender', (_what, sending, code) => {
    expect(admit(send(sending), corpTrust())).toMatchObject({ ok: false, refusal: { code }, sender: AGENT });
  });

  it('is told where the fault is, without control characters', () => {
    const admission = admit(send(started({ team: 7 })), corpTrust());
    expect(admission).toMatchObject({ refusal: { fields: { path: 'labels.team' } } });
  });
});

function started(labels: object, change: object = {}): Sending {
  return {
    type: 'dev.mayfly.task.started.v1',
    data: {
      taskId: TASK_ID,
      purpose: 'Reconcile October invoices',
      objectiveSha256: '0'.repeat(64),
      principal: { id: 'user:maria@corp.example', kind: 'human' },
      agents: [{ id: AGENT }],
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
      deadline: '2026-11-24T19:45:00.000Z',
      risk: 'low',
      labels,
      ...change,
    },
  };
}
