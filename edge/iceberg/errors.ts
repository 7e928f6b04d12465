/**
 * Errors as Iceberg's clients read them: `{error: {message, type, code}}`, by one mapping from the catalog's reasons and from the edge's own problems.
 *
 * Invariant: a commit is answered by 500 only where its outcome is unknown or a bug: clients then keep the files that they wrote; by every other status they know that nothing happened.
 */
import type { Context } from 'hono'
import type { CatalogRefused, RefusalReason } from '../../db/lake/rest/index.ts'
import { type Problem, type ProblemCode, problemHeaders, retryAfter } from '../problem.ts'

const REFUSALS: Record<RefusalReason, readonly [status: 400 | 404 | 409 | 422 | 500 | 503, type: string]> = {
  bad_request: [400, 'BadRequestException'],
  no_such_namespace: [404, 'NoSuchNamespaceException'],
  no_such_table: [404, 'NoSuchTableException'],
  namespace_exists: [409, 'AlreadyExistsException'],
  table_exists: [409, 'AlreadyExistsException'],
  namespace_not_empty: [409, 'NamespaceNotEmptyException'],
  commit_failed: [409, 'CommitFailedException'],
  unprocessable: [422, 'UnprocessableEntityException'],
  unavailable: [503, 'ServiceUnavailableException'],
  state_unknown: [500, 'CommitStateUnknownException'],
}

const TYPES: Partial<Record<ProblemCode, string>> = {
  unauthorized: 'NotAuthorizedException',
  forbidden: 'ForbiddenException',
  not_found: 'NoSuchEndpointException',
  method_not_allowed: 'UnsupportedOperationException',
  too_many_attempts: 'TooManyRequestsException',
  internal: 'InternalServerError',
  overloaded: 'ServiceUnavailableException',
  unavailable: 'ServiceUnavailableException',
}

export function refusalAnswer(c: Context, { reason, message }: CatalogRefused): Response {
  const [status, type] = REFUSALS[reason]
  return c.body(JSON.stringify({ error: { message, type, code: status } }), status, {
    'content-type': 'application/json',
    ...(status === 503 && retryAfter(1)),
  })
}

/** Any problem of the edge below /iceberg. */
export const icebergProblem = (c: Context, problem: Problem): Response =>
  c.body(
    JSON.stringify({
      error: { message: problem.message, type: TYPES[problem.code] ?? 'BadRequestException', code: problem.status },
    }),
    problem.status,
    { ...problemHeaders(problem), 'content-type': 'application/json' },
  )
