/** The commands of `mayfly` and their options. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { SERVICES } from '#events/services.js';
import { approvalCommands } from './approvals/approval-commands.js';
import { auditCommands } from './audit/audit-commands.js';
import { call } from './commands/call.js';
import type { CallOptions } from './commands/call.js';
import { SAMPLE_ANALYST, SAMPLE_ORCHESTRATOR } from './commands/context.js';
import type { CommandContext } from './commands/context.js';
import { keyRotate, type KeyRotateOptions } from './commands/key-rotate.js';
import { dlqCommands } from './dlq/dlq-commands.js';
import { policyCheck } from './commands/policy-check.js';
import { policyExplain, type PolicyExplainOptions } from './commands/policy-explain.js';
import type { PolicyFolderOptions } from './commands/policy-folder.js';
import { policyReplay, type PolicyReplayOptions } from './commands/policy-replay.js';
import { policyTest } from './commands/policy-test.js';
import { policyWhoCan, type PolicyWhoCanOptions } from './commands/policy-who-can.js';
import { recover, RECREATED } from './commands/recover.js';
import type { RecoverOptions } from './commands/recover.js';
import { svid } from './commands/svid.js';
import type { SvidOptions } from './commands/svid.js';
import { taskAmend } from './commands/task-amend.js';
import type { TaskAmendOptions } from './commands/task-amend.js';
import { taskEnd } from './commands/task-end.js';
import type { TaskEndOptions } from './commands/task-end.js';
import { taskShow } from './commands/task-show.js';
import { taskStart } from './commands/task-start.js';
import type { TaskStartOptions } from './commands/task-start.js';
import { doctor } from './doctor/doctor.js';
import { logCommands } from './log/log-commands.js';
import { orderCommands } from './orders/order-commands.js';
import { outputTo } from './output.js';
import { standingCommands } from './standing/standing-commands.js';
import type { Streams } from './output.js';
import { targetCommands } from './targets/target-commands.js';
import { taskCommands } from './tasks/task-commands.js';

export function program(env: NodeJS.ProcessEnv, streams: Streams): Command {
  const context = (options: { json?: boolean }): CommandContext => ({
    env,
    output: outputTo(streams, options.json === true),
  });
  const seconds = (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw new InvalidArgumentError('a whole number of seconds is wanted');
    return value;
  };

  const mayfly = new Command('mayfly')
    .description('Credentials for AI agents that die with the task')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
    });
  const command = (parent: Command, name: string, description: string) =>
    parent.command(name).description(description).option('--json', 'answer as one JSON document');

  command(mayfly, 'svid', 'mint a JWT-SVID of the development trust domain')
    .requiredOption('--id <spiffe-id>', 'whose it is')
    .option('--key <file>', 'bind it to the key in this JWK file, as the bus demands')
    .option('--audience <audience>', 'or give it this audience (mayfly, unless told otherwise)')
    .option('--ttl <seconds>', 'time to live', seconds, 300)
    .action((options: SvidOptions & { json?: boolean }) => svid(options, context(options)));

  const task = mayfly.command('task').description('declare, end, stop and look at tasks');
  const as = (fallback: string) => new Option('--as <spiffe-id>', 'who speaks').default(fallback);
  command(task, 'start', 'declare a task and wait until it is accepted')
    .requiredOption('--file <file>', 'the declaration: the data of task.started, with or without a taskId')
    .addOption(as(SAMPLE_ORCHESTRATOR))
    .action((options: TaskStartOptions & { json?: boolean }) => taskStart(options, context(options)));
  command(task, 'amend', 'change what a task may do, or until when, or have an agent go on with another key')
    .argument('<id>', 'task id')
    .option('--file <file>', 'what changes: declared, deadline, rekey and reason of task.amended')
    .option('--rekey <spiffe-id>', 'the agent whose next event says which key it has')
    .option('--reason <text>', 'why')
    .addOption(as(SAMPLE_ORCHESTRATOR))
    .action((id: string, options: TaskAmendOptions & { json?: boolean }) =>
      taskAmend(id, options, context(options)),
    );
  command(task, 'end', 'end a task; its credentials die')
    .argument('<id>', 'task id')
    .addOption(
      new Option('--outcome <outcome>', 'how it ended')
        .choices(['completed', 'failed', 'cancelled'])
        .default('completed'),
    )
    .option('--reason <text>', 'why')
    .addOption(as(SAMPLE_ORCHESTRATOR))
    .action((id: string, options: TaskEndOptions & { json?: boolean }) =>
      taskEnd(id, options, context(options)),
    );
  command(task, 'show', "show a task's story out of the audit log")
    .argument('<id>', 'task id')
    .action((id: string, options: { json?: boolean }) => taskShow(id, context(options)));
  taskCommands(task, command, context);

  command(mayfly, 'call', 'make one tool call and receive its credential')
    .requiredOption('--task <id>', 'task id')
    .requiredOption('--tool <tool>', 'such as sql.query')
    .option('--dataset <dataset>', 'such as crm.orders')
    .requiredOption('--action <action>', 'such as read')
    .addOption(as(SAMPLE_ANALYST))
    .option('--ttl <seconds>', 'how long the credential is wanted', seconds)
    .option('--wait <seconds>', 'how long to wait, where the call needs an approval', seconds)
    .option(
      '--out <file>',
      'where the credential is kept, mode 0600 (in the state folder, unless told otherwise)',
    )
    .option('--show-secret', 'print the credential, secret and all, instead of keeping it in a file')
    .action((options: CallOptions & { json?: boolean }) => call(options, context(options)));

  approvalCommands(mayfly, command, context, seconds);
  dlqCommands(mayfly, command, context);
  standingCommands(mayfly, command, context);
  targetCommands(mayfly, command, context, seconds);
  orderCommands(mayfly, command, context);
  auditCommands(mayfly, command, context);
  logCommands(mayfly, command, context, streams.stdin ?? nothing());

  const policy = mayfly
    .command('policy')
    .description('the rules by which calls and declarations are decided');
  const folder = [
    '--dir <dir>',
    'the policy folder (beside the configuration, unless told otherwise)',
  ] as const;
  const names = [
    '--catalogue <dir>',
    'the catalogue folder (beside the policy folder, unless told otherwise)',
  ] as const;
  command(policy, 'check', 'say what is wrong with a policy folder, all of it')
    .option(...folder)
    .option(...names)
    .action((options: PolicyFolderOptions & { json?: boolean }) => policyCheck(options, context(options)));
  command(policy, 'test', 'run the tests beside the policies')
    .option(...folder)
    .option(...names)
    .action((options: PolicyFolderOptions & { json?: boolean }) => policyTest(options, context(options)));
  command(policy, 'replay', 'list the recorded decisions that another policy folder would turn')
    .requiredOption('--policy <dir>', 'the policy folder to decide by')
    .option('--since <when>', 'how far back, such as 30d or 12h, or a moment', '30d')
    .option('--config <file>', 'the configuration that the broker was started with')
    .option('--auditor <url>', 'where the log is asked, where npm start did not start it')
    .option('--token <file>', 'a token of a reader of the log, where the development issuer is not theirs')
    .option('--no-log', 'do not ask the log whether the records are what was told')
    .option('--exact', 'have Cedar decide every call: slower')
    .action((options: PolicyReplayOptions & { json?: boolean }) => policyReplay(options, context(options)));

  command(policy, 'explain', 'say why a recorded call was decided as it was, and what would have to change')
    .argument('<call-id>', 'call id')
    .option('--task <id>', 'its task, where several calls have this id')
    .option('--agent <spiffe-id>', 'its agent, where several calls have this id')
    .option('--dir <dir>', 'the policy folder of today (that of the configuration, unless told otherwise)')
    .option('--config <file>', 'the configuration that the broker was started with')
    .action((id: string, options: PolicyExplainOptions & { json?: boolean }) =>
      policyExplain(id, options, context(options)),
    );
  command(
    policy,
    'who-can',
    'list the agents that could do something with a dataset, and through which tools',
  )
    .requiredOption('--dataset <dataset>', 'such as crm.orders')
    .requiredOption('--action <action>', 'such as read')
    .option('--tool <tool>', 'with this tool alone')
    .option('--agent <spiffe-id>', 'this agent alone')
    .option(...folder)
    .option(...names)
    .action((options: PolicyWhoCanOptions & { json?: boolean }) => policyWhoCan(options, context(options)));

  const key = mayfly.command('key').description('keys that sign tokens');
  command(key, 'rotate', 'have another key sign, as soon as verifiers can know it')
    .option('--at-once', 'have it sign now: verifiers learn of it by its first token')
    .option('--compromised', 'and have nothing believed that the present one signed')
    .option('--confirm', 'it cannot be taken back')
    .option('--as <name>', 'who gives the order (your login, unless told otherwise)')
    .option('--config <file>', 'the configuration of the broker, where npm start did not start it')
    .option('--wait <seconds>', 'how long to wait until a broker has taken it', seconds, 15)
    .action((options: KeyRotateOptions & { json?: boolean }) => keyRotate(options, context(options)));

  command(mayfly, 'recover', 'let a service run again after a restore of its database, or a topic made anew')
    .addOption(new Option('--service <service>', 'whose database').choices(SERVICES).makeOptionMandatory())
    .requiredOption('--config <file>', 'the configuration that the service is started with')
    .addOption(
      new Option('--topic <topic>', 'nothing was restored: this topic was made anew').choices(RECREATED),
    )
    .option('--confirm', 'do it; without, only what was found is told')
    .action((options: RecoverOptions & { json?: boolean }) => recover(options, context(options)));

  command(mayfly, 'doctor', 'check what Mayfly needs, and say how to mend it').action(
    (options: { json?: boolean }) => doctor(context(options)),
  );
  return mayfly;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
