/** Calls and the word of people on them, as the broker stores them: a call is decided once, and again once it is approved or came to nothing. */
import { APPROVAL_RULES } from '../../src/approval-facts.js';
import {
  approvalOf,
  consumedBy,
  decideAnswer,
  evolveApproval,
  expiredBy,
  isApproved,
  type Answer,
  type Approval,
} from '../../src/approval.js';
import { decideCall } from '../../src/call.js';
import type { ToolCalled } from '../../src/inbound.js';
import type { Lease } from '../../src/lease.js';
import type { Sender } from '../../src/task.js';
import type { Books } from './books.js';

interface Call {
  call: ToolCalled;
  by: Sender;
  attempts: number;
  leaseId: string | null;
  approvalId: string | null;
  waits: boolean;
}

const ATTEMPTS_MAX = 3;
const keyOf = ({ taskId, callId }: { taskId: string; callId: string }, agent: string) =>
  `${taskId} ${agent} ${callId}`;

export class Calls {
  readonly approvals: Approval[] = [];
  readonly #calls = new Map<string, Call>();

  constructor(private readonly world: Books) {}

  hears(call: ToolCalled, by: Sender): void {
    if (!this.#calls.has(keyOf(call, by.id))) this.#decide(call, by, 1, null);
  }

  /** Its lease came to nothing. */
  againFor(lease: Lease): void {
    const known = this.#calls.get(keyOf(lease, lease.agent));
    if (known === undefined || known.attempts >= ATTEMPTS_MAX) return;
    const given = this.approvals.find(({ requested }) => requested.approvalId === known.approvalId) ?? null;
    this.#decide(known.call, known.by, known.attempts + 1, given);
  }

  /** Somebody says their word on a call that was, or is, to be approved. */
  answers(approval: Approval | undefined, answer: Answer): void {
    if (approval === undefined) return;
    const { requested } = approval;
    const { oracle, policy, judged } = this.world;
    const task = this.world.task(requested.taskId);
    const known = this.#calls.get(keyOf(requested, requested.agent));
    const { events, is } = decideAnswer(approval, answer, {
      ...{ ...judged, policySet: policy.digest, mayApprove: () => true },
      ...{ chain: [task, ...this.world.ancestorsOf(task)], leaseId: known?.leaseId ?? null },
    });
    const now = events.reduce(evolveApproval, approval);
    this.#keep(now);
    for (const event of events) if (event.type === 'approval.withdrawn') this.world.tell(event);
    if (is === 'rejected' || known === undefined) return;
    if (answer.is === 'grant') {
      oracle.approves(requested, answer.by, policy);
      if (known.waits && isApproved(now)) this.#decide(known.call, known.by, known.attempts, now);
      return;
    }
    known.waits = false;
    if (answer.is !== 'withdraw') return;
    oracle.withdraws(requested);
    if (known.leaseId !== null) this.world.noteCut(known.leaseId);
  }

  #decide(call: ToolCalled, by: Sender, attempts: number, given: Approval | null): void {
    const { held, judged, nowMs, oracle } = this.world;
    const task = this.world.task(call.taskId);
    const next = held.size + this.approvals.length;
    const result = decideCall(call, by, {
      ...{ ...judged, task, ancestors: this.world.ancestorsOf(task), openTasksOfSender: 0 },
      ...{ sealKeyThumbprint: 'seal', newLeaseId: `lease ${next}`, sha256Hex: (text: string) => text },
      principalOf: (_target, leaseId) => leaseId,
      approvals: { rules: APPROVAL_RULES, newApprovalId: `approval ${next}`, openOfAgent: 0, given },
    });
    if (result.is === 'rejected') return;
    const { decided, intended, requested } = result;
    oracle.speaks(call.taskId, by);
    this.world.record(call.taskId, decided);
    if (requested !== null) this.approvals.push(approvalOf(requested));
    if (given?.status === 'open') {
      const over =
        intended === null
          ? expiredBy(given, 'denied', nowMs)
          : consumedBy(given, intended.data.leaseId, nowMs);
      this.#keep(evolveApproval(given, over));
    }
    if (intended !== null) this.world.lend(intended, call, by);
    this.#calls.set(keyOf(call, by.id), {
      ...{ call, by, attempts, waits: requested !== null, leaseId: intended?.data.leaseId ?? null },
      approvalId: (requested?.data ?? given?.requested)?.approvalId ?? null,
    });
  }

  #keep(approval: Approval): void {
    const { approvalId } = approval.requested;
    const at = this.approvals.findIndex(({ requested }) => requested.approvalId === approvalId);
    this.approvals[at] = approval;
  }
}
