/**
 * What in a `forbid` may fail when it is asked. Cedar skips a policy that fails, so a forbid would not forbid: integer arithmetic
 * overflows, and an entity that the call does not bring has no attributes. Pure.
 */
import type { Expr, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { isSent } from './cedar-request.js';
import { entityIn, known, type Node, nodesOfPolicy, shown } from './expressions.js';
import { type Attributes, type Environment, SchemaTypes } from './schema-types.js';
import { Tokens } from './tokens-of-policy.js';

export interface FailOpen {
  /** Index into the policy's text; 0 where it cannot be told. */
  index: number;
  message: string;
  help: string;
}

/** @param text of the policy, word for word @param schema absent where there is none that parses: entities are then not looked at. */
export function failOpen(policy: PolicyJson, text: string, schema: SchemaTypes | undefined): FailOpen[] {
  if (policy.effect !== 'forbid') return [];
  const nodes = nodesOfPolicy(policy);
  const tokens = new Tokens(text);
  return [
    ...arithmetic(nodes, tokens),
    ...(schema === undefined ? [] : unsent(nodes, tokens, schema, schema.environmentOf(policy.action))),
  ];
}

const SIGNS: Partial<Record<string, string>> = { '+': '+', '*': '*', '-': '-', neg: '-' };

function arithmetic(nodes: readonly Node[], tokens: Tokens): FailOpen[] {
  // A negative number has a minus too, and it stands in the text like any other.
  const signed = nodes.flatMap(({ op, expr }) =>
    'Value' in expr
      ? typeof expr.Value === 'number' && expr.Value < 0
        ? [{ sign: '-', fails: false }]
        : []
      : SIGNS[op] === undefined
        ? []
        : [{ sign: SIGNS[op], fails: true }],
  );
  return [...new Set(Object.values(SIGNS))].flatMap((sign) => {
    const same = signed.filter((each) => each.sign === sign);
    return same.flatMap(({ fails }, nth) =>
      fails
        ? [
            {
              index: tokens.sign(sign ?? '', nth, same.length),
              message: `\`${sign}\` can overflow, and a forbid that fails forbids nothing`,
              help: 'compare the fact with a number that you have worked out, as in `context.now.calls >= 90`, or do the sum in a permit',
            },
          ]
        : [],
    );
  });
}

/** What an expression may be. `sent`: it hangs on the request itself, so that it is known to be there. */
type Kind = { entity: string; sent: boolean } | { record: Attributes; sent: boolean };

function unsent(nodes: readonly Node[], tokens: Tokens, schema: SchemaTypes, asked: Environment): FailOpen[] {
  const reads = nodes.flatMap(({ expr }) => readsOf(expr));
  return reads.flatMap(({ left, attr }) => {
    const missing = kindsOf(left, schema, asked).find(
      (kind) =>
        'entity' in kind &&
        !(kind.sent && isSent(kind.entity)) &&
        Object.hasOwn(schema.attributesOf(kind.entity), attr),
    );
    if (missing === undefined || !('entity' in missing)) return [];
    const same = reads.filter((read) => read.attr === attr);
    const nth = same.findIndex((read) => read.left === left);
    return [
      {
        index: tokens.attribute(attr, nth, same.length),
        message: `\`${shown(left)}\` is a \`${missing.entity}\` that the call does not send, and a forbid that cannot read its \`${attr}\` forbids nothing`,
        help: 'compare the entity itself with `==`, or read `principal`, `resource`, or the agent, tool or dataset in `context`',
      },
    ];
  });
}

interface Read {
  left: Expr;
  attr: string;
}

function readsOf(read: Expr): Read[] {
  const expr = known(read);
  if ('.' in expr) return [{ left: expr['.'].left, attr: expr['.'].attr }];
  if (!('has' in expr)) return [];
  const { left, attr } = expr.has;
  const [first = '', ...rest] = typeof attr === 'string' ? [attr] : attr;
  const reads: Read[] = [{ left, attr: first }];
  for (const next of rest) {
    const { left: before, attr: previous } = reads.at(-1) ?? { left, attr: first };
    reads.push({ left: { '.': { left: before, attr: previous } }, attr: next });
  }
  return reads;
}

function kindsOf(of: Expr, schema: SchemaTypes, asked: Environment): Kind[] {
  const expr = known(of);
  if ('Var' in expr)
    switch (expr.Var) {
      case 'principal':
        return asked.principals.map((entity) => ({ entity, sent: true }));
      case 'resource':
        return asked.resources.map((entity) => ({ entity, sent: true }));
      case 'context':
        return asked.contexts.map((record) => ({ record, sent: true }));
      default:
        return [];
    }
  if ('.' in expr)
    return kindsOf(expr['.'].left, schema, asked).flatMap((kind) => member(kind, expr['.'].attr, schema));
  if ('if-then-else' in expr)
    return [expr['if-then-else'].then, expr['if-then-else'].else].flatMap((each) =>
      kindsOf(each, schema, asked),
    );
  const named = entityIn(expr);
  return named === undefined ? [] : [{ entity: named.type, sent: false }];
}

function member(kind: Kind, attr: string, schema: SchemaTypes): Kind[] {
  const attributes = 'record' in kind ? kind.record : schema.attributesOf(kind.entity);
  const type = Object.hasOwn(attributes, attr) ? attributes[attr] : undefined;
  if (type === undefined) return [];
  // Only what the request itself names is looked for before a decision: missingEntity.
  const sent = kind.sent && 'record' in kind;
  if (type.type === 'Entity' && 'name' in type && typeof type.name === 'string')
    return [{ entity: type.name, sent }];
  const record = schema.recordOf(type);
  return record === undefined ? [] : [{ record, sent }];
}
