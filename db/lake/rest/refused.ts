/**
 * What the REST catalog refuses, by one closed list of reasons; `edge/iceberg` gives each its status and its name in Iceberg's error model.
 * Invariant: a refusal says what is wrong and what to do next, and nothing was changed. `state_unknown` alone says that this can't be known.
 */
export type RefusalReason =
  | 'bad_request'
  | 'no_such_namespace'
  | 'no_such_table'
  | 'namespace_exists'
  | 'table_exists'
  | 'namespace_not_empty'
  /** The table is not as the client thought: it reads the table and tries again. */
  | 'commit_failed'
  /** The request is well formed and can't be done, e.g. because the table's files are damaged. */
  | 'unprocessable'
  /** A store is away for the moment. */
  | 'unavailable'
  | 'state_unknown'

export class CatalogRefused extends Error {
  override readonly name = 'CatalogRefused'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

export const badRequest = (message: string, cause?: unknown): CatalogRefused =>
  new CatalogRefused('bad_request', message, { cause })
