/** What a client can know of the authorization server (RFC 8414). */
import { SVID_ALGORITHMS } from '#identity/bundle.js';
import { PROOF_ALGORITHMS } from '#identity/proof.js';
import { TOOL_ACCESS } from '#tokens/authorization-detail.js';
import { TOKEN_EXCHANGE } from './exchange-request.js';

/** The first is that of draft-ietf-oauth-spiffe-client-auth; the other tells generic clients that an assertion is signed by a key. */
const CLIENTS = ['spiffe_jwt', 'private_key_jwt'];

export const metadataOf = (issuer: string): object => ({
  issuer,
  token_endpoint: `${issuer}/oauth/token`,
  introspection_endpoint: `${issuer}/oauth/introspect`,
  revocation_endpoint: `${issuer}/oauth/revoke`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  response_types_supported: [],
  grant_types_supported: [TOKEN_EXCHANGE],
  ...methods('token'),
  ...methods('introspection'),
  ...methods('revocation'),
  dpop_signing_alg_values_supported: PROOF_ALGORITHMS,
  authorization_details_types_supported: [TOOL_ACCESS],
});

const methods = (endpoint: string) => ({
  [`${endpoint}_endpoint_auth_methods_supported`]: CLIENTS,
  [`${endpoint}_endpoint_auth_signing_alg_values_supported`]: SVID_ALGORITHMS,
});
