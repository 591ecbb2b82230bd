import { readFileSync } from 'node:fs';
import type { Catalogue } from '#events/catalogue.js';
import { ordinaryRequestOf } from '../../../test/support/recorded-calls.mjs';
import { decideCall, judgeCall, type CallRequest } from './decide-call.js';
import type { CallInputs } from './decision-inputs.js';
import { decideRenewal } from './decide-renewal.js';
import { decideTask } from './decide-task.js';
import { requestWith } from './facts-read.js';
import { loadCatalogue } from './load-catalogue.js';
import { parsePolicies, type ParsedPolicies } from './parse-policies.js';
import { slotOf } from './policy-slots.js';

const TEXT = readFileSync('deploy/sample/policy/schema.cedarschema', 'utf8');
/** All that came later is optional, and the dataset always was. */
const FIRST = TEXT.replace(/^ +(?!dataset)\w+\?: .*,$|, trust\?: Long/gm, '');
const ALL = '@id("all") @reason("everything is permitted") permit (principal, action, resource);';
const setOf = (schema: string, ...policies: string[]): ParsedPolicies =>
  parsePolicies({ file: 'schema.cedarschema', text: schema }, [
    { file: 'p.cedar', text: [ALL, ...policies].join('\n') },
  ]);

let catalogue: Catalogue;
let request: CallRequest;
beforeAll(async () => {
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
  const { task, now, ...ordinary } = ordinaryRequestOf(catalogue, 0);
  request = {
    ...ordinary,
    ...{ argumentsSha256: 'a'.repeat(64), model: { name: 'reader', version: '4' } },
    task: {
      ...task,
      ...{ objectiveSha256: 'b'.repeat(64), startedAtMs: task.deadlineMs - 7_200_000, maxCallsPerMinute: 9 },
    },
    now: { ...now, ...{ callsOfTool: 1, callsOfDataset: 1, refused: 1 } },
  };
});

const DENIED_BEFORE =
  '@id("guard") @reason("denied before") forbid (principal, action == Mayfly::Action::"callTool", resource) when { (context.now has refused && context.now.refused > 0) || context.now.drift > 80 };';

describe('a policy folder with a schema from before', () => {
  it('decides calls, renewals and declarations by what it knows', () => {
    const { task, agent, tool, dataset, action } = request;
    const declared = [{ tool, ...(dataset === undefined ? {} : { dataset }), actions: [action] }];
    const orchestrator = { catalogue, orchestrator: task.orchestrator, agents: [agent], declared, task };

    expect(FIRST).not.toMatch(/refused\?|trust\?|modelName/);
    for (const set of [setOf(FIRST), setOf(FIRST, DENIED_BEFORE)]) {
      expect(decideCall(set, request)).toMatchObject({ decision: 'permit' });
      expect(decideRenewal(set, request)).toMatchObject({ decision: 'permit' });
      expect(decideTask(set, orchestrator)).toMatchObject({ decision: 'permit' });
    }
  });

  it('records all facts the same, so that they are there for rules to come', () => {
    const { inputs, inputsDigest } = decideCall(setOf(FIRST), request);

    expect(inputsDigest).toBe(decideCall(setOf(TEXT), request).inputsDigest);
    expect(judgeCall(setOf(TEXT, DENIED_BEFORE), inputs as CallInputs).decision).toBe('deny');
  });

  it('is told what it knows of them', () => {
    const some = TEXT.replace(/^ +(callsOf|model|argu)\w+\?: .*,$/gm, '');

    expect(decideCall(setOf(some, DENIED_BEFORE), request)).toMatchObject({ code: 'ERR_TOOL_FORBIDDEN' });
  });
});

describe('the engine is told', () => {
  const asked = (set: ParsedPolicies) => {
    const { tool } = decideCall(set, request).inputs as CallInputs;
    const { context, entities } = requestWith(slotOf(set, tool)?.names ?? null, tool);
    return JSON.stringify([context, entities]);
  };

  it('nothing of them that no policy reads', () => {
    expect(asked(setOf(TEXT))).not.toMatch(
      /refused|callsOf|startedAt|objective|trust|PerMinute|model|arguments/,
    );
  });

  it.each([
    ['context.now has callsOfTool && context.now.callsOfTool > 5', 'callsOfTool'],
    ['context has now.refused', 'refused'],
    ['context.task has startedAt && context.task["startedAt"] < context.now.at', 'startedAt'],
    ['principal has trust && principal.trust < 3', 'trust'],
    ['context has modelName && context.modelName == "x"', 'modelName'],
    ['if context has argumentsSha256 then context.argumentsSha256 == "x" else false', 'argumentsSha256'],
  ])('what one reads: %s', (condition, name) => {
    const guard = `@id("guard") @reason("r") forbid (principal, action == Mayfly::Action::"callTool", resource) when { ${condition} };`;

    expect(asked(setOf(TEXT, guard))).toContain(`"${name}"`);
  });
});

it('facts that a schema has otherwise are refused where a policy reads them: it is the wrong schema', () => {
  const other = TEXT.replace('    rows: Long,\n', '    rows: String,\n');
  const rule = (condition: string) =>
    `@id("rows") @reason("r") forbid (principal, action in Mayfly::Action::"agentAction", resource) when { ${condition} };`;

  expect(decideCall(setOf(other, rule('context.now.calls > 1000')), request).decision).toBe('permit');
  expect(decideCall(setOf(other, rule('context.now.rows == "many"')), request)).toMatchObject({
    code: 'ERR_POLICY_FAILED',
    reasons: ['the facts do not fit the schema', 'the facts do not fit the schema'],
  });
});
