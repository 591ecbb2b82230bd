/** The endpoints as a client that is not ours sees them: oauth4webapi finds them, gets a token with a nonce, and asks about it. */
import { generateKeyPair, exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { thumbprint, type EcPublicJwk } from '#identity/jwk.js';
import { ISSUER, type World } from '../../../test/harness.js';
import type { Door, HttpWorld } from '../../../test/http-world.js';
import {
  claimsOf,
  detailFor,
  openOAuthWorld,
  ORDERS_AUDIENCE,
  SPIFFE_ASSERTION,
} from '../../../test/oauth-client.js';
import { ANALYST } from '../../../test/voices.js';

let http: HttpWorld;
let world: World;
let taskId: string;
let door: Door;
beforeEach(async () => {
  ({ http, world, taskId } = await openOAuthWorld());
  door = await http.door(http.broker, { isPrivate: () => true, lives: { lifeOf: () => 'live' } });
});
afterEach(() => http.close());

/** The issuer's name is that of the world; what answers for it is behind another address. */
const options = {
  [oauth.customFetch]: (url: string, init: RequestInit) => fetch(url.replace(ISSUER, door.url), init),
};

it('discovery, a token exchange with DPoP and the server’s nonce, introspection, revocation', async () => {
  const found = await oauth.discoveryRequest(new URL(ISSUER), {
    algorithm: 'oauth2',
    ...(options as object),
  });
  const as = await oauth.processDiscoveryResponse(new URL(ISSUER), found);
  const { svid } = await world.voices.newly(ANALYST, { audience: ISSUER });
  const client: oauth.Client = { client_id: ANALYST };
  const byAssertion: oauth.ClientAuth = (_as, _client, body) => {
    body.set('client_assertion_type', SPIFFE_ASSERTION);
    body.set('client_assertion', svid);
  };
  const keys = await generateKeyPair('ES256');
  const DPoP = oauth.DPoP(client, keys);
  const wanted = {
    subject_token: svid,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    authorization_details: JSON.stringify([detailFor(taskId)]),
    resource: ORDERS_AUDIENCE,
  };
  const ask = async () =>
    oauth.processGenericTokenEndpointResponse(
      as,
      client,
      await oauth.genericTokenEndpointRequest(
        as,
        client,
        byAssertion,
        'urn:ietf:params:oauth:grant-type:token-exchange',
        wanted,
        { DPoP, ...(options as object) },
      ),
    );
  const first: unknown = await ask().catch((error: unknown) => error);
  expect(oauth.isDPoPNonceError(first)).toBe(true);
  const given = await ask();

  expect(given).toMatchObject({
    token_type: 'dpop',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  });
  const jkt = thumbprint((await exportJWK(keys.publicKey)) as EcPublicJwk);
  expect(claimsOf(given.access_token)).toMatchObject({ iss: ISSUER, client_id: ANALYST, cnf: { jkt } });

  const introspected = await oauth.processIntrospectionResponse(
    as,
    client,
    await oauth.introspectionRequest(as, client, byAssertion, given.access_token, options),
  );
  expect(introspected).toMatchObject({
    active: true,
    client_id: ANALYST,
    cnf: { jkt },
    act: { sub: ANALYST },
  });

  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, byAssertion, given.access_token, options),
  );
  await world.hears(taskId, 'lease.returned');
});
