/**
 * The SPIFFE Workload API (SPIFFE_Workload_API.md §6, SPIFFE_Workload_Endpoint.md) as a client: the machine's agent says who this
 * process is, by what it sees of it, so there is no secret to begin with. Over a unix socket only: TCP would let another machine ask.
 */
import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { IdentityError } from '../errors.js';
import { isOnlyFor } from '../identity-token.js';
import { readKeyLocation } from '../key-location.js';
import { MAX_KEY_SET_BYTES } from '../key-set.js';
import { readSvid } from '../svid.js';
import {
  readJwtBundlesResponse,
  readJwtSvidResponse,
  readValidationResponse,
  writeJwtBundlesRequest,
  writeJwtSvidRequest,
  writeValidationRequest,
} from './messages.js';

const TIMEOUT_MS = 5_000;
const SERVICE = '/SpiffeWorkloadAPI';
/** Bundles of all federated domains come in one message. */
const MAX_MESSAGE_BYTES = 4 * MAX_KEY_SET_BYTES;

/** @throws IdentityError ERR_IDENTITY_ISSUER_INVALID if `SPIFFE_ENDPOINT_SOCKET` is not set or is no `unix:///…` */
export function workloadApiFrom(env: NodeJS.ProcessEnv): WorkloadApi {
  const location = env.SPIFFE_ENDPOINT_SOCKET ?? '';
  const at = readKeyLocation(location, 'production');
  if (at.kind !== 'workload_api')
    throw new IdentityError('ERR_IDENTITY_ISSUER_INVALID', 'SPIFFE_ENDPOINT_SOCKET is no unix:///… socket');
  return new WorkloadApi(at.socket);
}

export class WorkloadApi {
  readonly #client: Client;

  /** @param socket absolute path. Nothing is opened before it is asked for something. */
  constructor(
    readonly socket: string,
    readonly timeoutMs = TIMEOUT_MS,
  ) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.enable_http_proxy': 0,
    });
  }

  /**
   * A JWT-SVID of this process, for one audience: `boundAudience(…)` where it goes on the bus.
   * @param spiffeId which of several; absent: the first, which is the agent's default.
   * @throws IdentityError ERR_IDENTITY_FETCH_FAILED: no answer, no identity for this process, or not what was asked for
   */
  async fetchJwtSvid(audience: string, spiffeId?: string): Promise<{ id: string; svid: string }> {
    const svids = await this.#ask(
      'FetchJWTSVID',
      writeJwtSvidRequest,
      { audience, ...(spiffeId !== undefined && { spiffeId }) },
      readJwtSvidResponse,
    );
    const given = svids[0];
    if (given === undefined) throw this.#failed('the agent gives no SVID');
    // The token is for others to verify; this finds an agent that answers for somebody else before they refuse it.
    const reading = readSvid(given.svid);
    const id = reading.ok && isOnlyFor(reading.svid, audience) ? reading.svid.subject : undefined;
    if (id === undefined || id !== given.spiffeId || id !== (spiffeId ?? id))
      throw this.#failed('the agent gives another SVID than was asked for');
    return { id, svid: given.svid };
  }

  /** The SPIFFE id of whoever an SVID for `audience` is of. @throws IdentityError ERR_IDENTITY_FETCH_FAILED, also if it is not good */
  async validateJwtSvid(audience: string, svid: string): Promise<string> {
    return this.#ask('ValidateJWTSVID', writeValidationRequest, { audience, svid }, readValidationResponse);
  }

  /** The bundles that count now, by trust domain id. The stream is left after its first message. */
  fetchJwtBundles(): Promise<Map<string, Buffer>> {
    return new Promise((resolve, reject) => {
      const stream = this.#client.makeServerStreamRequest(
        `${SERVICE}/FetchJWTBundles`,
        writeJwtBundlesRequest,
        readJwtBundlesResponse,
        undefined,
        metadata(),
        { deadline: Date.now() + this.timeoutMs },
      );
      stream.on('data', (bundles: Map<string, Buffer>) => {
        resolve(bundles);
        stream.cancel();
      });
      // Cancelling ends it with an error as well; by then the promise is kept.
      stream.on('error', (error: ServiceError) => reject(this.#failedBy(error)));
      stream.on('end', () => reject(this.#failed('the agent gives no bundles')));
    });
  }

  close(): void {
    this.#client.close();
  }

  #ask<Q, A>(
    method: string,
    write: (request: Q) => Buffer,
    request: Q,
    read: (message: Buffer) => A,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `${SERVICE}/${method}`,
        write,
        read,
        request,
        metadata(),
        { deadline: Date.now() + this.timeoutMs },
        (error, answer) => {
          if (error !== null) reject(this.#failedBy(error));
          else if (answer === undefined) reject(this.#failed('the agent gives no answer'));
          else resolve(answer);
        },
      );
    });
  }

  /** No cause: details of an agent may quote what it was asked. */
  #failedBy({ code }: ServiceError): IdentityError {
    if (code === status.PERMISSION_DENIED)
      return this.#failed('the agent has no identity for this process', 'PERMISSION_DENIED');
    return this.#failed('the Workload API cannot be asked', status[code] ?? 'UNKNOWN');
  }

  #failed(message: string, code?: string): IdentityError {
    return new IdentityError('ERR_IDENTITY_FETCH_FAILED', message, {
      socket: this.socket,
      ...(code !== undefined && { status: code }),
    });
  }
}

/** Without it the agent refuses: a page in a browser cannot be made to send it (SPIFFE_Workload_Endpoint.md §3). */
function metadata(): Metadata {
  const security = new Metadata();
  security.set('workload.spiffe.io', 'true');
  return security;
}

/** The bundle of one trust domain. @throws IdentityError ERR_IDENTITY_FETCH_FAILED */
export async function readJwtBundle(socket: string, trustDomain: string): Promise<Buffer> {
  const api = new WorkloadApi(socket);
  try {
    const bundle = (await api.fetchJwtBundles()).get(`spiffe://${trustDomain}`);
    if (bundle === undefined)
      throw new IdentityError('ERR_IDENTITY_FETCH_FAILED', 'the agent has no bundle of the trust domain', {
        socket,
        trustDomain,
      });
    return bundle;
  } finally {
    api.close();
  }
}
