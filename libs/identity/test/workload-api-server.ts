/** An agent of a machine, made from workload.proto by gRPC's own loader: it knows nothing of the code under test. */
import { join } from 'node:path';
import { Server, ServerCredentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import type {
  ServerUnaryCall,
  ServerWritableStream,
  ServiceClientConstructor,
  sendUnaryData,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const PROTO = join(import.meta.dirname, '../src/workload-api/workload.proto');
export const definition = loadSync(PROTO, { keepCase: true, defaults: true });

export interface Agent {
  /** What it answers; an error code instead is its answer too. */
  svids: (request: {
    audience: string[];
    spiffe_id: string;
  }) => { spiffe_id: string; svid: string }[] | number;
  bundles: () => Record<string, string> | number;
  validates: (request: { audience: string; svid: string }) => string | number;
}

/** Listens at `socket` until `stop`. As the standard demands, it refuses whoever does not send the security header. */
export async function startAgent(socket: string, agent: Agent): Promise<{ stop: () => Promise<void> }> {
  const { SpiffeWorkloadAPI } = loadPackageDefinition(definition) as unknown as {
    SpiffeWorkloadAPI: ServiceClientConstructor;
  };
  const refusalOf = ({ metadata }: Pick<ServerUnaryCall<unknown, unknown>, 'metadata'>) =>
    metadata.get('workload.spiffe.io').join() === 'true' ? undefined : status.INVALID_ARGUMENT;
  const unary =
    <Q, A>(answerOf: (request: Q) => A | number) =>
    (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>) => {
      const answer = refusalOf(call) ?? answerOf(call.request);
      if (typeof answer === 'number') callback({ code: answer, details: 'no' });
      else callback(null, answer);
    };
  const server = new Server();
  server.addService(SpiffeWorkloadAPI.service, {
    FetchJWTSVID: unary((request: Parameters<Agent['svids']>[0]) => {
      const svids = agent.svids(request);
      return typeof svids === 'number' ? svids : { svids };
    }),
    ValidateJWTSVID: unary((request: Parameters<Agent['validates']>[0]) => {
      const id = agent.validates(request);
      return typeof id === 'number'
        ? id
        : { spiffe_id: id, claims: { fields: { sub: { stringValue: id } } } };
    }),
    FetchJWTBundles: (call: ServerWritableStream<object, object>) => {
      const answer = refusalOf(call) ?? agent.bundles();
      if (typeof answer === 'number') {
        call.emit('error', { code: answer, details: 'no' });
        return;
      }
      // It stays open, as that of an agent does.
      call.write({
        bundles: Object.fromEntries(Object.entries(answer).map(([id, jwks]) => [id, Buffer.from(jwks)])),
      });
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    stop: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
