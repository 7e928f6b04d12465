/**
 * Names as the REST catalog has them: a namespace is a list of levels, which the JDBC catalog's tables join by dots. Pure.
 *
 * Invariant: a name that is made here comes back as the same levels, fits the catalog's columns, and can't be mistaken for a path.
 */
import type { TableName } from '../catalog/catalog.ts'
import { badRequest } from './refused.ts'

/** Of the catalog's VARCHAR columns. */
export const NAME_LENGTH_MAX = 255
export const VALUE_LENGTH_MAX = 1_000

export const levelsOf = (namespace: string): string[] => namespace.split('.')

/** For looking something up: what can't be a name simply isn't there. */
export const namespaceOf = (levels: readonly string[]): string => levels.join('.')

/** @throws CatalogRefused */
export function newNamespace(levels: readonly string[]): string {
  if (levels.length === 0) throw badRequest('A namespace needs at least one level, e.g. ["raw"].')
  for (const level of levels) checkName('level of a namespace', level)
  const namespace = namespaceOf(levels)
  if (namespace.length > NAME_LENGTH_MAX)
    throw badRequest(`The namespace is longer than ${NAME_LENGTH_MAX} characters. Choose shorter names.`)
  return namespace
}

/** @throws CatalogRefused */
export function newTableName(namespace: string, name: string): TableName {
  checkName('name of a table', name)
  return { namespace, name }
}

function checkName(what: string, name: string): void {
  if (name === '' || name.length > NAME_LENGTH_MAX)
    throw badRequest(`A ${what} has 1 to ${NAME_LENGTH_MAX} characters.`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f./\\]/.test(name) || !name.isWellFormed())
    throw badRequest(`A ${what} can't contain dots, slashes, backslashes or control characters.`)
}

/** Also the levels above one that was made: `a.b` makes `a` be there. */
export const hasNamespace = (all: readonly string[], namespace: string): boolean =>
  all.some((each) => each === namespace || each.startsWith(`${namespace}.`))

/** The namespaces directly below one, or at the top; as dotted names, ascending, once each. */
export function childrenOf(all: readonly string[], parent: string | null): string[] {
  const prefix = parent === null ? '' : `${parent}.`
  const children = all
    .filter((each) => each.startsWith(prefix))
    .map((each) => prefix + levelsOf(each.slice(prefix.length))[0]!)
  return [...new Set(children)].sort()
}

/** A folder's name for people's eyes: what stands in it decides nothing. */
export const folderName = (name: string): string => name.replace(/[^\w-]/g, '_').slice(0, 100)

export interface Page {
  /** Where the page begins: what the one before gave as `next`, or '' for the first. Absent: everything is one page. */
  token?: string
  size?: number
}

const PAGE_SIZE = 1_000

/** A page of sorted names. The token is the last name of the page before, so that pages stay right while names come and go. @throws CatalogRefused */
export function pageOf(names: readonly string[], { token, size }: Page): { names: string[]; next: string | null } {
  if (token === undefined && size === undefined) return { names: [...names], next: null }
  const after = token ? textOf(token) : ''
  const rest = names.filter((name) => name > after)
  const page = rest.slice(0, size ?? PAGE_SIZE)
  return { names: page, next: page.length < rest.length ? Buffer.from(page.at(-1)!).toString('base64url') : null }
}

function textOf(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (Buffer.from(text).toString('base64url') === token) return text
  throw badRequest('This pageToken is none of ours. Begin again with an empty one.')
}
