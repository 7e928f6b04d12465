/**
 * Errors as clients see them: RFC 9457 problem+json, from one closed list of codes.
 *
 * Everything in the edge that refuses a request throws a {@link Problem}; `app.ts` turns it, and anything unexpected, into a response.
 * Invariant: what a client reads never contains an internal message, a path of the machine or a stack.
 */

const TYPES = {
  malformed_body: [400, 'The body could not be read'],
  invalid_parameter: [400, 'A parameter is not valid'],
  unauthorized: [401, 'Not authorized'],
  forbidden: [403, 'Not allowed'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  conflict: [409, 'It is at odds with what is there'],
  incompatible_schema: [409, 'The schema is not compatible'],
  idempotency_in_flight: [409, 'The same request is being answered'],
  body_too_slow: [408, 'The body came too slowly'],
  body_too_large: [413, 'The body is too large'],
  too_many_events: [413, 'Too many events in one request'],
  unsupported_media_type: [415, 'The content type is not supported'],
  unsupported_encoding: [415, 'The content encoding is not supported'],
  invalid_event: [422, 'The event is not valid'],
  idempotency_mismatch: [422, 'The key was used for another body'],
  unprocessable: [422, 'The request can not be processed'],
  too_many_attempts: [429, 'Too many attempts'],
  quota_exceeded: [429, 'The quota is used up'],
  internal: [500, 'Something went wrong here'],
  log_unavailable: [503, 'The event log is not available'],
  overloaded: [503, 'Too much is in flight'],
  unavailable: [503, 'A part of the platform is not available'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemCode = keyof typeof TYPES
export type ProblemStatus = (typeof TYPES)[ProblemCode][0]
export const PROBLEM_CODES = Object.keys(TYPES) as ProblemCode[]

export interface ProblemOptions {
  headers?: Record<string, string>
  /** Further members of the document, e.g. the verdicts of an invalid event. */
  members?: Record<string, unknown>
  cause?: unknown
}

/** A refusal with a sentence for the client: what is wrong and what to do next. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly status: ProblemStatus
  readonly headers: Record<string, string>
  readonly members: Record<string, unknown>

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause })
    this.code = code
    this.status = TYPES[code][0]
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
  }
}

export const retryAfter = (seconds: number): Record<string, string> => ({ 'retry-after': String(seconds) })

/** The document of a problem, as JSON text. @param traceId of the request that it answers, where it has a trace */
export const problemText = (problem: Problem, traceId?: string): string =>
  JSON.stringify({
    type: `urn:streamforge:problem:${problem.code}`,
    title: TYPES[problem.code][1],
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    ...problem.members,
    ...(traceId !== undefined && { trace_id: traceId }),
  })

export const problemHeaders = (problem: Problem): Record<string, string> => ({
  'content-type': 'application/problem+json',
  'cache-control': 'no-store',
  ...problem.headers,
})
