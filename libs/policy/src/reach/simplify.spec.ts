import { cedar } from '../cedar.js';
import { conditionText } from '../explain/condition-text.js';
import { conditionsLeft } from './simplify.js';

function left(conditions: string): string[] | null {
  const answer = cedar.policyToJson(`permit (principal, action, resource) ${conditions};`);
  if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
  return conditionsLeft(answer.json)?.map(conditionText) ?? null;
}

it.each([
  ['when { true && context.a }', ['when { context.a }']],
  ['when { context.a && true }', ['when { context.a }']],
  ['when { context.a && false }', null],
  ['when { context.a || true }', []],
  ['when { false || context.a }', ['when { context.a }']],
  ['when { !(true && false) }', []],
  ['unless { context.a && false }', []],
  ['unless { true || context.a }', null],
  ['when { if true then context.a else context.b }', ['when { context.a }']],
  [
    'when { if context.a then (true && context.b) else false }',
    ['when { if context.a then context.b else false }'],
  ],
  ['when { !(context.n <= 3) }', ['when { context.n > 3 }']],
  ['when { !(context.n == 3) }', ['when { context.n != 3 }']],
  ['when { context.a } unless { context.b }', ['when { context.a }', 'unless { context.b }']],
  [
    'when { context.s.contains("a") && context.t has u }',
    ['when { (context.s.contains("a")) && (context.t has u) }'],
  ],
  ['when { unknown("now").calls > 3 }', ['when { context.now.calls > 3 }']],
])('leaves of %s what is not settled', (conditions, expected) => {
  const plain = (text: string) => text.replace(/[()]/g, '');
  expect(left(conditions)?.map(plain) ?? null).toEqual(expected?.map(plain) ?? null);
});
