import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../program.js';

const SAMPLE = 'deploy/sample';
const ANALYST = 'spiffe://dev.mayfly/agent/analyst';

let root: string;
let dir: string;
let stdout: string;
let stderr: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mayfly-policy-'));
  dir = join(root, 'policy');
  await cp(join(SAMPLE, 'policy'), dir, { recursive: true });
  await cp(join(SAMPLE, 'catalogue'), join(root, 'catalogue'), { recursive: true });
  stdout = '';
  stderr = '';
});
afterEach(() => rm(root, { recursive: true }));

const run = (...args: string[]) =>
  program(
    {},
    { stdout: { write: (text) => (stdout += text) }, stderr: { write: (text) => (stderr += text) } },
  ).parseAsync(['policy', ...args], { from: 'user' });
const answer = () => JSON.parse(stdout) as Record<string, unknown>;
const failed = (message: string) => ({ code: 'ERR_CLI_CHECKS_FAILED', message });

describe('mayfly policy check', () => {
  it('says how many policies there are, and their digest', async () => {
    await run('check', '--dir', dir);
    expect(stdout).toMatch(/^ok: \d+ policies, sha256:[0-9a-f]{64}\n$/);
  });

  it('looks at the folder beside the configuration, which is the sample’s unless told', async () => {
    await run('check', '--json');
    expect(answer()).toMatchObject({ ok: true, dir: 'deploy/sample/policy' });
  });

  it('looks for the catalogue beside the folder, also when that is the working directory', async () => {
    const before = process.cwd();
    process.chdir(dir);
    try {
      await run('check', '--dir', '.', '--json');
    } finally {
      process.chdir(before);
    }
    expect(answer()).toMatchObject({ ok: true, dir: '.' });
  });

  it('says all that is wrong, with place and remedy', async () => {
    await writeFile(
      join(dir, 'a.cedar'),
      '@id("a") @reason("r")\nforbid (principal, action == Mayfly::Action::"callTool", resource)\nwhen { context.now.calls + 1 > 3 };\n',
    );
    await writeFile(
      join(dir, 'b.cedar'),
      '@id("b") @reason("r")\npermit (principal, action == Mayfly::Action::"callTool", resource)\nwhen { context.vreb == "read" };\n',
    );
    await expect(run('check', '--dir', dir)).rejects.toMatchObject(failed('2 problems'));
    expect(stdout.split('\n')).toEqual([
      `${dir}/a.cedar:3:26: \`+\` can overflow, and a forbid that fails forbids nothing (ERR_POLICY_FAIL_OPEN)`,
      '    compare the fact with a number that you have worked out, as in `context.now.calls >= 90`, or do the sum in a permit',
      expect.stringMatching(/b\.cedar:3:8: attribute `vreb` in context .* not found \(ERR_POLICY_INVALID\)$/),
      '    did you mean `verb`?',
      '',
    ]);
  });

  it('says which names the catalogue does not have', async () => {
    await writeFile(
      join(dir, 'a.cedar'),
      '@id("a") @reason("r")\nforbid (principal, action == Mayfly::Action::"readDataset", resource in Mayfly::Domain::"hrr");\n',
    );
    await expect(run('check', '--dir', dir)).rejects.toMatchObject(failed('1 problem'));
    expect(stdout).toBe(
      `${dir}/a.cedar:2:73: the catalogue has no \`Mayfly::Domain::"hrr"\`, so this never holds (ERR_POLICY_NAME)\n    did you mean \`hr\`?\n`,
    );
  });

  it('says it to a program, too', async () => {
    await rm(join(dir, 'schema.cedarschema'));
    await expect(run('check', '--dir', dir, '--json')).rejects.toMatchObject(failed('1 problem'));
    expect(answer()).toEqual({
      ok: false,
      dir,
      problems: [
        {
          code: 'ERR_POLICY_MISSING',
          file: join(dir, 'schema.cedarschema'),
          message: 'cannot be read as UTF-8',
        },
      ],
    });
  });
});

describe('mayfly policy test', () => {
  it('names each case that passes, and counts them', async () => {
    await run('test', '--dir', dir);
    expect(stdout).toContain(`${dir}/tests/calls.yaml\n  ✓ the analyst reads orders\n`);
    expect(stdout).toMatch(/\n\d+ passed, 0 failed; \d+ policies, 0 without a test\n$/);
  });

  it('shows what differs', async () => {
    await writeFile(
      join(dir, 'tests', 'calls.yaml'),
      `- name: salaries for all\n  call: { agent: ${ANALYST}, tool: sql.query, dataset: hr.salaries, action: read }\n  expect: { decision: permit, ttlMs: 300000 }\n`,
    );
    await expect(run('test', '--dir', dir)).rejects.toMatchObject({ code: 'ERR_CLI_CHECKS_FAILED' });
    expect(stdout).toContain(
      '  ✗ salaries for all (line 1)\n      expected decision "permit", got "deny"\n      expected ttlMs 300000, got none\n',
    );
  });

  it('names the policies that no case makes determining', async () => {
    await writeFile(
      join(dir, 'new.cedar'),
      '@id("new") @reason("r")\npermit (principal, action == Mayfly::Action::"renew", resource);\n',
    );
    await run('test', '--dir', dir);
    expect(stdout).toContain('no test would notice a change of\n  new\n');
    expect(stdout).toContain('1 without a test');
  });

  it('says where a file of tests is wrong, and runs the others', async () => {
    await writeFile(join(dir, 'tests', 'wrong.yaml'), '- name: a\n  expect: { decison: permit }\n');
    await expect(run('test', '--dir', dir, '--json')).rejects.toMatchObject({
      code: 'ERR_CLI_CHECKS_FAILED',
    });
    expect(answer()).toMatchObject({ ok: false, failed: 1, untested: [] });
    expect(stdout).toContain('wrong.yaml');
  });

  it('says so when there is no test', async () => {
    await rm(join(dir, 'tests'), { recursive: true });
    await run('test', '--dir', dir);
    expect(stderr).toBe(`no test: write ${dir}/tests/*.yaml\n`);
  });

  it('runs none where the policies cannot be used', async () => {
    await writeFile(join(dir, 'tools.cedar'), 'permit (principal);');
    await expect(run('test', '--dir', dir)).rejects.toMatchObject({ code: 'ERR_CLI_CHECKS_FAILED' });
    expect(stdout).toMatch(/tools\.cedar:1:18: .* \(ERR_POLICY_SYNTAX\)/);
  });

  it('takes the catalogue it is told, and says what is wrong with it', async () => {
    await cp(join(root, 'catalogue'), join(root, 'other'), { recursive: true });
    const tools = join(root, 'other', 'tools.yaml');
    await writeFile(tools, (await readFile(tools, 'utf8')).replace('risk: 20', 'risk: high'));
    await run('test', '--dir', dir);
    await expect(run('test', '--dir', dir, '--catalogue', join(root, 'other'))).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
    });
  });
});

describe('mayfly policy who-can', () => {
  const asking = (dataset: string, action: string, ...more: string[]) =>
    run('who-can', '--dir', dir, '--dataset', dataset, '--action', action, ...more);

  it('lists agents and tools, with what is left of the policies', async () => {
    await asking('crm.orders', 'read', '--tool', 'sql.query');
    const [analyst, executor, planner, ...rest] = stdout.split('\n');

    expect(analyst).toMatch(
      /^spiffe:\/\/dev\.mayfly\/agent\/analyst {3}sql\.query {2}under conditions {2}by data\.crm-read, tools\.warehouse; unless guard\.budget, guard\.call-rate, guard\.drift/,
    );
    expect(executor).toContain('by data.orders-read, tools.warehouse; unless');
    expect(planner).toMatch(/ never {2,}no policy permits the tool, nor the dataset$/);
    expect(rest.slice(0, 3)).toEqual([
      '',
      'conditions',
      expect.stringMatching(/^ {2}guard\.budget forbids when \{/),
    ]);
    expect(rest.slice(-3)).toEqual(['', '3 agents, 1 tool: 0 always, 2 under conditions, 1 never', '']);
  });

  it('names the guard that closes a dataset, and the approval that opens one', async () => {
    await asking('hr.salaries', 'read', '--agent', ANALYST, '--tool', 'sql.query');
    expect(stdout).toMatch(/ never +forbidden by guard\.salaries\n/);
    stdout = '';
    await asking('crm.orders', 'write', '--agent', ANALYST, '--tool', 'sql.query');
    expect(stdout).toContain('; with an approval, for guard.write-approval; unless ');
  });

  it('says it to a program, too', async () => {
    await asking('orders', 'read', '--json');
    expect(answer()).toMatchObject({ ok: true, dir, dataset: 'orders', action: 'read' });
    expect(answer().reach).toHaveLength(6);
  });

  it.each([
    [['crm.order', 'read'], 'the catalogue has no dataset `crm.order`; it has crm.customers, crm.orders, '],
    [['crm.customers', 'write'], 'no action of crm.customers `write`; it has read'],
    [['crm.orders', 'read', '--tool', 'sql'], 'no tool `sql`'],
    [['crm.orders', 'read', '--agent', 'analyst'], 'no agent `analyst`'],
    [['crm.orders', 'read', '--tool', 'orders.mcp'], '`orders.mcp` takes no dataset'],
  ] as [[string, string, ...string[]], string][])('refuses %j', async (args, message) => {
    await expect(asking(...args)).rejects.toMatchObject({
      code: 'ERR_CLI_NOT_FOUND',
      message: expect.stringContaining(message) as string,
    });
  });

  it('answers nothing from policies that cannot be used', async () => {
    await writeFile(join(dir, 'tools.cedar'), 'permit (principal);');
    await expect(asking('crm.orders', 'read')).rejects.toMatchObject({ code: 'ERR_CLI_CHECKS_FAILED' });
  });
});
