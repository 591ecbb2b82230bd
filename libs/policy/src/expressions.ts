/** The parts of a Cedar expression in its JSON form, in the order in which they stand in the text. Pure. */
import type { Expr, ExprNoExt, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** An expression whose operator may be looked for with `in`: calls of functions have names of their own, and none of these. */
export const known = (expr: Expr): ExprNoExt => expr as ExprNoExt;

/** One node: its operator (`+`, `.`, `Var`, `durationSince`, …) and the expression that it is. */
export interface Node {
  op: string;
  expr: Expr;
}

/** All nodes of a policy's conditions. Members of a record come sorted by name: only there the order may be another than the text's. */
export const nodesOfPolicy = ({ conditions }: PolicyJson): Node[] =>
  conditions.flatMap(({ body }) => nodesOf(body));

/** Before and after which an operator stands; the rest of an expression has no operator of its own in the text that we look for. */
const BEFORE = ['left', 'if'];
const AFTER = ['arg', 'right', 'then', 'else', 'in'];
const LEAVES = ['Value', 'Var', 'Slot'];

function nodesOf(expr: Expr): Node[] {
  const [op = '', body] = Object.entries(expr)[0] as [string, unknown];
  const self = { op, expr };
  if (LEAVES.includes(op)) return [self];
  if (Array.isArray(body)) return [self, ...(body as Expr[]).flatMap(nodesOf)];
  const members = body as Record<string, Expr>;
  if (op === 'Record') return [self, ...Object.values(members).flatMap(nodesOf)];
  const those = (names: string[]) =>
    names.flatMap((name) => (members[name] === undefined ? [] : nodesOf(members[name])));
  return [...those(BEFORE), self, ...those(AFTER)];
}

/** An expression as an operator would write it, where it is a path or an entity. */
export function shown(expr: Expr): string {
  const one = known(expr);
  if ('Var' in one) return one.Var;
  if ('.' in one) return `${shown(one['.'].left)}.${one['.'].attr}`;
  const entity = entityIn(expr);
  return entity === undefined ? '(…)' : `${entity.type}::"${entity.id}"`;
}

/** The entity that an expression names. */
export function entityIn(expr: Expr): { type: string; id: string } | undefined {
  const one = known(expr);
  const value = 'Value' in one ? one.Value : null;
  if (typeof value !== 'object' || value === null || !('__entity' in value)) return undefined;
  return value.__entity as { type: string; id: string };
}
