/** What a token is asked for: one act of one tool in one task (RFC 8693, RFC 9396). Pure. */
import { v7 as uuidv7 } from 'uuid';
import { targetOf, type Catalogue } from '#events/catalogue.js';
import type { ToolCalled } from '#events/inbound.js';
import { isObject } from '#identity/bytes.js';
import { readAuthorizationDetails, type ToolAccess } from '#tokens/authorization-detail.js';
import type { Form } from './form.js';
import { OAuthError } from './oauth-error.js';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const RETURNED: readonly (string | undefined)[] = [
  ACCESS_TOKEN,
  'urn:ietf:params:oauth:token-type:jwt',
  undefined,
];
/** Of a detail without `locations`, where nobody knows any: what was asked for is then refused for another reason. */
const NOWHERE = 'urn:mayfly:nowhere';

/** @throws OAuthError `unsupported_grant_type`, `invalid_request`, `invalid_scope` */
export function checkGrant(form: Form): void {
  if (form.get('grant_type') !== TOKEN_EXCHANGE)
    throw new OAuthError('unsupported_grant_type', 'ERR_GRANT_TYPE', 'only tokens are exchanged here');
  if (!RETURNED.includes(form.get('requested_token_type')))
    throw new OAuthError('invalid_request', 'ERR_REQUESTED_TOKEN_TYPE', 'only access tokens are given');
  if (form.has('scope'))
    throw new OAuthError('invalid_scope', 'ERR_SCOPE', 'what is wanted is said in authorization_details');
}

/**
 * The call that the request is. Its agent, its key and what it is sealed to are not in the form.
 * @throws OAuthError `invalid_authorization_details`, `invalid_target`
 */
export function readExchange(form: Form, catalogue: Catalogue): Omit<ToolCalled, 'sealTo'> {
  const given = oneDetail(form.get('authorization_details'));
  const found = targetOf(
    { tool: text(given.tool), dataset: optional(given.dataset), action: text(actionIn(given)) },
    catalogue,
  );
  const audience = found?.target.provider === 'jwt' ? found.target.audience : undefined;
  const detail = readDetail({ locations: [audience ?? NOWHERE], ...given });
  const elsewhere = [detail.locations[0], form.get('resource'), form.get('audience')].some(
    (place) => place !== undefined && place !== (audience ?? NOWHERE),
  );
  if (elsewhere)
    throw new OAuthError('invalid_target', 'ERR_TARGET_MISMATCH', 'this is not to be had for that target');
  const argumentsSha256 = form.get('mayfly_arguments_sha256');
  return {
    taskId: detail.task,
    callId: form.get('mayfly_call_id') ?? uuidv7(),
    tool: detail.tool,
    ...(detail.dataset === undefined ? {} : { dataset: detail.dataset }),
    action: detail.actions[0] ?? '',
    credential: 'jwt',
    ...(argumentsSha256 === undefined ? {} : { argumentsSha256 }),
  };
}

const invalid = (description: string) =>
  new OAuthError('invalid_authorization_details', 'ERR_DETAILS_INVALID', description);

function oneDetail(json: string | undefined): Record<string, unknown> {
  if (json === undefined) throw invalid('there are no authorization_details');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalid('authorization_details is no JSON');
  }
  const [detail, ...more] = Array.isArray(value) ? (value as unknown[]) : [];
  if (!isObject(detail) || more.length > 0)
    throw invalid('authorization_details must be a list of exactly one object');
  return detail;
}

function readDetail(given: Record<string, unknown>): ToolAccess {
  const reading = readAuthorizationDetails([given]);
  if (!reading.ok) throw invalid(reading.refusal.reason);
  const [detail] = reading.details;
  if (detail?.actions.length !== 1) throw invalid('one token is for one action');
  return detail;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const optional = (value: unknown): string | undefined => (value === undefined ? undefined : text(value));
const actionIn = ({ actions }: Record<string, unknown>): unknown =>
  Array.isArray(actions) ? (actions as unknown[])[0] : undefined;
