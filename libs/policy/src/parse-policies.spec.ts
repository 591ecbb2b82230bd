import { readFileSync } from 'node:fs';
import { parsePolicies } from './parse-policies.js';
import { PolicyError, policyErrorLines } from './policy-error.js';

const schema = {
  file: 'schema.cedarschema',
  text: readFileSync('deploy/sample/policy/schema.cedarschema', 'utf8'),
};
const READ = `@id("read") @reason("reading is fine")
permit (principal, action == Mayfly::Action::"readDataset", resource);
`;
const GUARD = `@id("guard") @reason("not now") @remedy("approval")
forbid (principal, action == Mayfly::Action::"writeDataset", resource) unless { context.now.approval == "approved" };
`;
const parse = (...texts: string[]) =>
  parsePolicies(
    schema,
    texts.map((text, index) => ({ file: `p${index + 1}.cedar`, text })),
  );

function problemsOf(...texts: string[]): string[] {
  try {
    parse(...texts);
  } catch (error) {
    if (error instanceof PolicyError) return policyErrorLines(error);
    throw error;
  }
  return [];
}

it('names policies by their @id and reads what they oblige to', () => {
  const parsed = parse(READ.replace('@reason', '@ttl("90") @rowfilter("region = \'EU\'") @reason'), GUARD);

  expect(Object.keys(parsed.texts)).toEqual(['guard', 'read']);
  expect(parsed.rules.get('read')).toEqual({
    id: 'read',
    effect: 'permit',
    reason: 'reading is fine',
    ttlMs: 90_000,
    rowFilter: "region = 'EU'",
    approval: null,
  });
  expect(parsed.rules.get('guard')).toMatchObject({ effect: 'forbid', ttlMs: null, approval: 'one-person' });
});

it('keeps its digest when comments, layout and files change', () => {
  const before = parse(READ, GUARD).digest;

  expect(before).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(parse(GUARD, `// why\n${READ.replace('action ==', '\n  action ==')}`).digest).toBe(before);
  expect(parse(READ + GUARD).digest).toBe(before);
});

it.each([
  ['a condition', READ.replace('resource);', 'resource) when { resource.pii };')],
  ['an obligation', READ.replace('@reason', '@ttl("60") @reason')],
  ['an effect', READ.replace('permit', 'forbid')],
])('changes its digest with %s', (_what, text) => {
  expect(parse(text).digest).not.toBe(parse(READ).digest);
});

it('changes its digest with the schema', () => {
  const wider = { ...schema, text: schema.text.replace('depth: Long,', 'depth: Long, team?: String,') };

  expect(parsePolicies(wider, [{ file: 'p', text: READ }]).digest).not.toBe(parse(READ).digest);
});

it('points at a syntax error by line and column', () => {
  expect(problemsOf(`${READ}\npermit (principal, action,\n  resorce);`)).toEqual([
    'p1.cedar:5:3: failed to parse policies from string: found an invalid variable in the policy scope: resorce; ' +
      'policy scopes must contain a `principal`, `action`, and `resource` element in that order (ERR_POLICY_SYNTAX)',
  ]);
});

it('counts columns in characters, though Cedar counts bytes', () => {
  const text = READ.replace(
    'resource);',
    'resource) when { context.task.purpose == "ünïté" && context.tol == context.tool };',
  );

  expect(problemsOf(text)[0]).toMatch(
    /^p1\.cedar:2:113: attribute `tol` in context .* \(ERR_POLICY_INVALID\)$/,
  );
});

it('passes Cedar’s advice on', () => {
  expect(
    problemsOf(READ.replace('resource);', 'resource) when { context.tol == context.tool };'))[0],
  ).toContain('did you mean `tool`?');
});

it('refuses what Cedar only warns about', () => {
  expect(problemsOf(READ.replace('resource);', 'resource) when { false };'))).toEqual([
    expect.stringMatching(/^p1\.cedar:1:1: policy is impossible.*\(ERR_POLICY_INVALID\)$/),
  ]);
});

it('lists the problems of every file', () => {
  const wrong = READ.replace('resource);', 'resource) when { context.nope };');

  expect(problemsOf(wrong, wrong.replace('"read"', '"again"')).map((line) => line.slice(0, 8))).toEqual([
    'p1.cedar',
    'p2.cedar',
  ]);
});

it('lists problems of every kind at once, in the order of the files', () => {
  const problems = problemsOf(
    `${READ.replace('resource);', 'resource) when { context.tol == context.tool };')}${READ.replace('permit', 'forbid').replace('resource);', 'resource) when { context.now.calls + 1 > 2 };')}`,
    'permit (principal);',
    GUARD.replace('@reason', '@tll("60") @reason'),
  );

  expect(problems.map((line) => line.replace(/: .*\((\w+)\)$/, ' $1'))).toEqual([
    'p1.cedar:2:78 ERR_POLICY_INVALID',
    'p1.cedar:3:1 ERR_POLICY_ANNOTATION',
    'p1.cedar:4:96 ERR_POLICY_FAIL_OPEN',
    'p2.cedar:1:18 ERR_POLICY_SYNTAX',
    'p2.cedar:1:18 ERR_POLICY_SYNTAX',
    'p3.cedar:1:1 ERR_POLICY_ANNOTATION',
  ]);
});

it('lists the problems of the policies beside those of a schema that does not parse', () => {
  const broken = { file: 's', text: 'entity A in [B];' };
  let thrown: unknown;
  try {
    parsePolicies(broken, [{ file: 'p', text: READ.replace('@id("read") ', '') }]);
  } catch (error) {
    thrown = error;
  }

  expect(thrown instanceof PolicyError && thrown.problems).toMatchObject([
    { file: 's', code: 'ERR_POLICY_SYNTAX' },
    { file: 'p', code: 'ERR_POLICY_ANNOTATION' },
  ]);
});

it('names the place of the second of two policies that are the same, word for word', () => {
  expect(problemsOf(`${READ}// once more\n${READ}`)).toEqual([
    'p1.cedar:4:1: `@id` `read` is given twice (ERR_POLICY_ANNOTATION)',
  ]);
});

it.each([
  ['no @id', READ.replace('@id("read") ', ''), 'needs an `@id` of letters, digits, dots and dashes'],
  ['no @reason', READ.replace('@reason("reading is fine")', ''), 'needs a `@reason`'],
  ['an unknown annotation', READ.replace('@reason', '@tll("60") @reason'), 'unknown annotation `@tll`'],
  [
    'a @ttl of zero',
    READ.replace('@reason', '@ttl("0") @reason'),
    '`@ttl` must be a whole number of seconds, 1 to 86400',
  ],
  [
    'a @ttl with a unit',
    READ.replace('@reason', '@ttl("5m") @reason'),
    '`@ttl` must be a whole number of seconds, 1 to 86400',
  ],
  [
    'a @ttl on a forbid',
    GUARD.replace('@reason', '@ttl("60") @reason'),
    '`@ttl` and `@rowfilter` belong on a permit',
  ],
  [
    'a @rowfilter on a forbid',
    GUARD.replace('@reason', '@rowfilter("x") @reason'),
    '`@ttl` and `@rowfilter` belong on a permit',
  ],
  [
    'a @remedy on a permit',
    READ.replace('@reason', '@remedy("approval") @reason'),
    '`@remedy` and `@approval` belong on a forbid',
  ],
  ['another remedy', GUARD.replace('"approval")', '"prayer")'), '`@remedy` must be `approval`'],
  [
    'another approval',
    GUARD.replace('@reason', '@approval("crowd") @reason'),
    '`@approval` must be `one-person` or `two-person`',
  ],
])('refuses %s', (_what, text, message) => {
  expect(problemsOf(text)).toEqual([`p1.cedar:1:1: ${message} (ERR_POLICY_ANNOTATION)`]);
});

it('refuses an @id given twice, in whatever file', () => {
  expect(problemsOf(READ, `\n${READ}`)).toEqual([
    'p2.cedar:2:1: `@id` `read` is given twice (ERR_POLICY_ANNOTATION)',
  ]);
});

it('refuses templates', () => {
  const template =
    '@id("t") @reason("r") permit (principal == ?principal, action == Mayfly::Action::"callTool", resource);';

  expect(problemsOf(template)).toEqual([
    'p1.cedar: static policy set includes a template (ERR_POLICY_SYNTAX)',
  ]);
});

it('refuses a schema that does not parse', () => {
  expect(() => parsePolicies({ file: 's', text: 'entity A in [B];' }, [{ file: 'p', text: READ }])).toThrow(
    PolicyError,
  );
});
