/**
 * One connection to a running Mayfly in development: sends signed task events as any identity of the development trust
 * domain, and hears what became of them. Each (task, identity) has a proof key of its own, kept in the state folder.
 */
import { v7 as uuidV7 } from 'uuid';
import { AgentError } from '#agent/agent-error.js';
import type { Pending } from '#agent/answer-book.js';
import { Answers } from '#agent/answers.js';
import { openEnvelope } from '#agent/open-envelope.js';
import type { OpenedCredential } from '#agent/open-envelope.js';
import { ProofKey } from '#agent/proof-key.js';
import { Refused } from '#agent/refused.js';
import { generateSealKey } from '#agent/seal-key.js';
import { signEvent } from '#agent/signed-event.js';
import { Verdicts } from '#agent/verdicts.js';
import type { Verdict } from '#agent/verdicts.js';
import type { Bus } from '#bus/bus.js';
import { openBus } from '#bus/open-bus.js';
import type { InboundData, InboundType, ToolCalled } from '#events/inbound.js';
import type { OutboundEvent } from '#events/outbound.js';
import { mintSvid } from '#identity/development/mint-svid.js';
import { loadPeerKeys } from '#identity/records.js';
import type { PeerKeys } from '#identity/records.js';
import { CliError } from './failure.js';
import { cliConfig } from './settings.js';
import { proofKeyPath, readAddresses, stateFolder } from './state-folder.js';
import type { Addresses } from './state-folder.js';

/** Long enough for a run of commands on a slow machine, short enough to be worth little when lost. */
const SVID_TTL_S = 300;

export interface Published {
  ceId: string;
  /** When the bus had acknowledged the event: `performance.now()`, ms. */
  acknowledgedAtMs: number;
  /** What the broker made of it; rejects with AgentError ERR_ANSWER_TIMEOUT. */
  verdict: Promise<Verdict>;
}

export type Call = Pick<ToolCalled, 'taskId' | 'tool' | 'dataset' | 'action' | 'ttlMs'>;

export interface CallOutcome {
  callId: string;
  credential: OpenedCredential;
}

export class MayflyClient {
  readonly #bus: Bus;
  readonly #peers: PeerKeys;
  #verdicts: Promise<Verdicts> | undefined;
  #answers: Promise<Answers> | undefined;

  private constructor(
    readonly folder: string,
    readonly addresses: Addresses,
    bus: Bus,
    peers: PeerKeys,
  ) {
    this.#bus = bus;
    this.#peers = peers;
  }

  /** @throws CliError ERR_CLI_NOT_RUNNING; ConfigError; BusError ERR_BUS_UNREACHABLE */
  static async open(env: NodeJS.ProcessEnv): Promise<MayflyClient> {
    const folder = stateFolder(env);
    const addresses = await readAddresses(folder);
    const config = await cliConfig(env, folder, addresses);
    const peers = await loadPeerKeys(config.trust.services);
    const bus = await openBus(config.bus, 'mayfly-cli');
    return new MayflyClient(folder, addresses, bus, peers);
  }

  /** The proof key of an identity for a task, made at first use. */
  proofKey(taskId: string, id: string): Promise<ProofKey> {
    return ProofKey.loadOrCreate(proofKeyPath(this.folder, taskId, id));
  }

  /** Listens for the broker's verdict, then sends. Resolves once the bus has acknowledged the event. */
  async send<T extends InboundType>(
    type: T,
    data: InboundData<T>,
    sender: string,
    verdictWithinMs: number,
  ): Promise<Published> {
    const verdicts = await this.#listenForVerdicts();
    const key = await this.proofKey(data.taskId, sender);
    const svid = await this.svid(sender, `mayfly:jkt:${key.thumbprint}`);
    const ceId = uuidV7();
    const verdict = verdicts.verdictOn(ceId, verdictWithinMs);
    // Not everybody who sends an event comes to ask for its verdict.
    verdict.catch(() => undefined);
    await this.#bus.publish([signEvent({ type, data, svid, key, id: ceId })]);
    return { ceId, acknowledgedAtMs: performance.now(), verdict };
  }

  /**
   * Makes one tool call and opens its envelope.
   * @param onPending it is waited for where it needs people; without, that is an error
   * @throws Refused with the broker's code; CliError ERR_CLI_DEAD_CREDENTIAL when the lease had ended before its envelope came;
   *   AgentError
   */
  async call(
    call: Call,
    agent: string,
    withinMs: number,
    onPending?: (pending: Pending) => void,
  ): Promise<CallOutcome> {
    const answers = await this.#listenForAnswers();
    const sealKey = generateSealKey();
    const callId = uuidV7();
    const { taskId } = call;
    const asked = { taskId, callId, agent, sealKid: sealKey.thumbprint };
    const answered = answers.answerOf(asked, withinMs, onPending);
    const data: ToolCalled = { ...call, callId, sealTo: sealKey.publicJwk };
    const published = await this.send('tool.called', data, agent, withinMs);
    // What was refused at the door has no answer on the delivery topic, so the verdict may have to end the wait.
    const rejected = published.verdict.then((verdict) => {
      if (verdict.type === 'event.rejected') throw new Refused(verdict.data.code, [verdict.data.reason]);
    });
    const answer = await Promise.race([answered, rejected.then(() => answered)]);
    switch (answer.answer) {
      case 'delivered':
        return {
          callId,
          credential: await openEnvelope(answer.envelope, sealKey, { taskId, callId, agent }),
        };
      case 'refused':
        throw new Refused(answer.code, answer.reasons, `why: mayfly policy explain ${callId}`);
      case 'pending':
        throw new AgentError('ERR_APPROVAL_PENDING', 'the call waits for an approval: --wait waits with it', {
          approval: answer.approval,
        });
      case 'void':
        throw new CliError(
          'ERR_CLI_DEAD_CREDENTIAL',
          `the lease ended (${answer.cause}) before its envelope came`,
        );
    }
  }

  /** The first event from now on that is wanted. Something must have been sent before: that is when listening begins. @throws AgentError ERR_ANSWER_TIMEOUT */
  event<E extends OutboundEvent>(wanted: (event: OutboundEvent) => event is E, withinMs: number): Promise<E> {
    const found = this.#listenForVerdicts().then((verdicts) => verdicts.first(wanted, withinMs));
    // Whoever fails before the event comes does not come to await it.
    found.catch(() => undefined);
    return found;
  }

  /** A JWT-SVID of the development trust domain. */
  svid(id: string, audience: string): Promise<string> {
    return mintSvid({ stateDir: this.folder, id, audience, ttlS: SVID_TTL_S });
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled([this.#verdicts, this.#answers]);
    for (const listener of open) if (listener.status === 'fulfilled') await listener.value?.close();
    await this.#bus.close();
  }

  #listenForVerdicts(): Promise<Verdicts> {
    return (this.#verdicts ??= Verdicts.listen(this.#bus, this.#peers));
  }

  #listenForAnswers(): Promise<Answers> {
    return (this.#answers ??= Answers.listen({ bus: this.#bus, peers: this.#peers }));
  }
}
