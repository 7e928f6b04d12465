/** Failures of the stores behind the catalog, as refusals: a database or object store that is away for the moment, and files that are damaged. Anything else is a bug and stays one. */
import { ObjectStoreError } from '../../objects/object-store.ts'
import { isTransient } from '../../postgres/errors.ts'
import { NoSuchTable } from '../catalog/catalog.ts'
import { MissingFile } from '../files/lake-files.ts'
import { CatalogRefused } from './refused.ts'

/** The same operations; those that are functions refuse what can be told. */
export function unavailableOr<T extends object>(operations: T): T {
  const wrapped = Object.entries(operations).map(([name, operation]) => [
    name,
    typeof operation === 'function'
      ? async (...args: unknown[]) => {
          try {
            return await operation(...args)
          } catch (error) {
            throw refusalOf(error)
          }
        }
      : operation,
  ])
  return Object.fromEntries(wrapped) as T // each under its name, with its own arguments and result
}

function refusalOf(error: unknown): unknown {
  if (error instanceof CatalogRefused || !(error instanceof Error)) return error
  const refused = (reason: 'no_such_table' | 'unprocessable' | 'unavailable', message: string) =>
    new CatalogRefused(reason, message, { cause: error })
  // Dropped between two looks at it.
  if (error instanceof NoSuchTable) return refused('no_such_table', error.message)
  if (
    error instanceof MissingFile ||
    /^The (table metadata|table at|lake's manifest file|file \S+ lies outside) ?/.test(error.message)
  )
    return refused('unprocessable', error.message)
  if (error instanceof ObjectStoreError)
    return refused(
      'unavailable',
      "The object store of the lake can't be used now. Nothing was changed; try again in a moment.",
    )
  if (isTransient(error) || error.message.startsWith("The lake's catalog did not answer"))
    return refused('unavailable', "The catalog's database can't be reached. Ask again in a moment.")
  return error
}
