/**
 * The closed catalogue of errors that token endpoint and discovery answer. Codes and words are those that clients
 * of Microsoft's service know; `{name}` in a text is filled in with a fact of the case.
 */

/** What one kind of token error looks like on the wire. */
export interface TokenErrorEntry {
  readonly status: number;
  /** OAuth error word. */
  readonly error: string;
  /** Text after `AADSTS<code>: `. */
  readonly text: string;
  /** One sentence for the page behind `error_uri`: what to do. */
  readonly help: string;
}

const wrongTenant =
  'This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.';

/** All token errors, by their number. */
export const tokenErrors = {
  900561: {
    status: 405,
    error: 'invalid_request',
    text: 'The endpoint only accepts {allow} requests. Received a {method} request.',
    help: 'Use the method that the header Allow names: POST for tokens, GET for discovery.',
  },
  900144: {
    status: 400,
    error: 'invalid_request',
    text: "The request body must contain the following parameter: '{parameter}'.",
    help: 'Send the parameter in a body of type application/x-www-form-urlencoded; the query does not count.',
  },
  9002313: {
    status: 400,
    error: 'invalid_request',
    text: 'Invalid request. Request is malformed or invalid.',
    help: 'A parameter is given twice, body and Authorization header name different clients, or the body is too large.',
  },
  900023: {
    status: 400,
    error: 'invalid_request',
    text: "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    help: 'Put the tenant id (a GUID) or one of its domains into the path.',
  },
  50059: {
    status: 400,
    error: 'invalid_request',
    text: 'No tenant-identifying information found in either the request or implied by any provided credentials.',
    help: 'Put the tenant id or one of its domains into the path instead of common, organizations or consumers.',
  },
  90002: {
    status: 400,
    error: 'invalid_request',
    text: "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
    help: 'Ask the operator for the tenant id; storelens tenant list shows it. A disabled tenant counts as unknown.',
  },
  70003: {
    status: 400,
    error: 'unsupported_grant_type',
    text: "The app requested an unsupported grant type '{grantType}'.",
    help: 'Only grant_type=client_credentials is supported.',
  },
  1002012: {
    status: 400,
    error: 'invalid_scope',
    text: 'The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).',
    help: 'Send scope=https://manage.devcenter.microsoft.com/.default and nothing else.',
  },
  700016: {
    status: 400,
    error: 'unauthorized_client',
    text: `Application with identifier '{clientId}' was not found in the directory '{tenantName}'. ${wrongTenant} You may have sent your authentication request to the wrong tenant.`,
    help: 'Check client_id and tenant; storelens application list shows the applications of a tenant.',
  },
  7000112: {
    status: 400,
    error: 'unauthorized_client',
    text: "Application '{clientId}'({name}) is disabled.",
    help: 'The operator has to enable the application again.',
  },
  7000216: {
    status: 401,
    error: 'invalid_client',
    text: "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
    help: 'Send client_secret, in the body or with HTTP Basic; certificates are not supported.',
  },
  7000215: {
    status: 401,
    error: 'invalid_client',
    text: "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{clientId}'.",
    help: 'The secret was shown once, when the key was made; make a new key if it is lost.',
  },
  7000222: {
    status: 401,
    error: 'invalid_client',
    text: "The provided client secret keys for app '{clientId}' are expired. Create new keys for your app in the console.",
    help: 'Make a new key for the application.',
  },
  500011: {
    status: 400,
    error: 'invalid_resource',
    text: `The resource principal named {resource} was not found in the tenant named {tenantName}. ${wrongTenant} You might have sent your authentication request to the wrong tenant.`,
    help: 'Ask for https://manage.devcenter.microsoft.com.',
  },
  90055: {
    status: 429,
    error: 'temporarily_unavailable',
    text: 'Request throttled.',
    help: 'Ten attempts of the client failed within a minute; wait for the seconds in Retry-After.',
  },
  90033: {
    status: 500,
    error: 'server_error',
    text: 'A transient error has occurred. Please try again.',
    help: 'A fault of the server; its log has the details under the trace id.',
  },
  50049: {
    status: 400,
    error: 'invalid_instance',
    text: 'Unknown or invalid instance.',
    help: 'The parameter authorization_endpoint names a host that this server does not stand for.',
  },
  70005: {
    status: 400,
    error: 'unsupported_response_type',
    text: 'This service has no sign-in page; it only issues tokens to applications.',
    help: 'Use the token endpoint with grant_type=client_credentials.',
  },
} as const satisfies Readonly<Record<number, TokenErrorEntry>>;

/** Number of a token error. */
export type TokenErrorCode = keyof typeof tokenErrors;
