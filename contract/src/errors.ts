/**
 * The closed catalogue of errors that the API answers. Codes are never renamed or reused. `data` of the inner
 * error carries the facts of the case; everything else of the envelope stands here.
 */

/** What one kind of error looks like on the wire. */
export interface ErrorEntry {
  readonly status: number;
  /** `code` of the envelope. */
  readonly code: string;
  /** `message` of the envelope. */
  readonly message: string;
  /** `code` and `message` of the inner error. */
  readonly inner: { readonly code: string; readonly message: string };
  /** One sentence for the reference page: when it happens and what to do. */
  readonly help: string;
}

const badRequest = 'The calling client sent a bad request to the service.';
const unauthorized = 'The calling client is not authorized.';
const forbidden = 'Access to the requested resource is forbidden.';

/** All errors, by the code that features throw. */
export const errors = {
  'invalid-parameters': {
    status: 400,
    code: 'BadRequest',
    message: badRequest,
    inner: { code: 'InvalidQueryParameters', message: 'One or More Query Parameters has invalid values.' },
    help: 'A query parameter is misspelt, given twice or has a value the report does not accept; data names it.',
  },
  'invalid-rows': {
    status: 400,
    code: 'BadRequest',
    message: badRequest,
    inner: { code: 'InvalidRows', message: 'One or more rows of the batch are invalid; nothing was stored.' },
    help: 'An ingested batch has bad rows; data lists up to one hundred problems by row and field.',
  },
  'invalid-body': {
    status: 400,
    code: 'BadRequest',
    message: badRequest,
    inner: { code: 'InvalidBody', message: 'The request body cannot be read.' },
    help: 'The body is not what its content type and encoding say, or the request itself is malformed.',
  },
  'invalid-crash-file': {
    status: 400,
    code: 'BadRequest',
    message: badRequest,
    inner: { code: 'InvalidCrashFile', message: 'The crash file cannot be accepted; nothing was stored.' },
    help: 'The file is no cabinet and no dump, damaged, or built to harm its reader; data says what is wrong.',
  },
  'invalid-symbols': {
    status: 400,
    code: 'BadRequest',
    message: badRequest,
    inner: { code: 'InvalidSymbols', message: 'The symbol file cannot be read; nothing was stored.' },
    help: 'The body is no Breakpad symbol file (`.sym` text, plain or gzip); data names the line.',
  },
  'token-missing': {
    status: 401,
    code: 'Unauthorized',
    message: unauthorized,
    inner: { code: 'PartnerAadTicketRequired', message: 'An Azure AD access token is required.' },
    help: 'Send `Authorization: Bearer <token>` with a token from the token endpoint.',
  },
  'token-invalid': {
    status: 401,
    code: 'Unauthorized',
    message: unauthorized,
    inner: { code: 'AuthenticationTokenInvalid', message: 'The Azure AD access token is invalid.' },
    help: 'The token is malformed, expired, signed by somebody else, or its application is unknown or disabled.',
  },
  'operator-key-invalid': {
    status: 401,
    code: 'Unauthorized',
    message: unauthorized,
    inner: { code: 'OperatorKeyInvalid', message: 'A valid operator key is required.' },
    help: 'Send `Authorization: Bearer <operator key>`; the key stands in the file that the ready line names.',
  },
  forbidden: {
    status: 403,
    code: 'Forbidden',
    message: forbidden,
    inner: { code: 'Forbidden', message: 'The caller may not use this resource.' },
    help: "The application's role does not allow this call, or the product is not one of its account's.",
  },
  'not-found': {
    status: 404,
    code: 'NotFound',
    message: 'The requested resource was not found.',
    inner: { code: 'NotFound', message: 'There is nothing at this address.' },
    help: 'The path names no report, dataset or object.',
  },
  'method-not-allowed': {
    status: 405,
    code: 'MethodNotAllowed',
    message: 'The requested method is not allowed.',
    inner: { code: 'MethodNotAllowed', message: 'The address does not take this method.' },
    help: 'The header Allow lists the methods that the address takes.',
  },
  conflict: {
    status: 409,
    code: 'Conflict',
    message: 'The request conflicts with what is stored.',
    inner: { code: 'Conflict', message: 'The request conflicts with what is stored.' },
    help: 'An id or domain is taken, or an Idempotency-Key came back with another body.',
  },
  'too-large': {
    status: 413,
    code: 'PayloadTooLarge',
    message: 'The request is too large.',
    inner: { code: 'PayloadTooLarge', message: 'The request body exceeds a limit.' },
    help: 'Send smaller batches; data names the limit.',
  },
  'range-not-satisfiable': {
    status: 416,
    code: 'RangeNotSatisfiable',
    message: 'The requested range cannot be served.',
    inner: { code: 'RangeNotSatisfiable', message: 'The range lies beyond the file.' },
    help: 'The header Range of a download begins behind the end of the file; Content-Range tells its size.',
  },
  'unsupported-media-type': {
    status: 415,
    code: 'UnsupportedMediaType',
    message: 'The media type is not supported.',
    inner: { code: 'UnsupportedMediaType', message: 'The content type or encoding is not supported.' },
    help: 'data lists the accepted content types and encodings.',
  },
  'too-many-requests': {
    status: 429,
    code: 'TooManyRequests',
    message: 'Too many requests.',
    inner: { code: 'TooManyRequests', message: 'The rate limit is exceeded.' },
    help: 'Wait for the seconds in Retry-After.',
  },
  internal: {
    status: 500,
    code: 'InternalServerError',
    message: 'The service failed to answer the request.',
    inner: { code: 'InternalServerError', message: 'An unexpected error happened.' },
    help: 'A fault of the server; its log has the details under the request id in data.',
  },
  unavailable: {
    status: 503,
    code: 'ServiceUnavailable',
    message: 'The service cannot answer at the moment.',
    inner: { code: 'ServiceUnavailable', message: 'The service is busy or a part of it cannot be reached.' },
    help: 'Try again after the seconds in Retry-After; a repeated batch is counted once.',
  },
  'range-too-large': {
    status: 503,
    code: 'ServiceUnavailable',
    message: 'The service cannot answer at the moment.',
    inner: { code: 'RangeTooLarge', message: 'The query needs more time or memory than is allowed.' },
    help: 'Ask for a shorter range, fewer groupby fields or a narrower filter.',
  },
} as const satisfies Record<string, ErrorEntry>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof errors;
