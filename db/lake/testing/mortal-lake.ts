/**
 * A lake whose process kills itself, as `kill -9` would, right before the call of a store or the catalog that it is told: nothing of it runs any more. Between two calls that change
 * something nothing changes, so these are all the moments there are.
 */
import { openFolderObjects } from '../../objects/folder.ts'
import type { BulkObjectStore } from '../../objects/object-store.ts'
import type { Sql } from '../../postgres/connect.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type Lake, openJdbcCatalog, openLake, openLakeFiles } from '../index.ts'

export interface MortalLake {
  lake: Lake
  /** Counts as a call. */
  step(): Promise<void>
  /** Calls so far. */
  steps(): number
}

/** @param task `objects` is the folder of the store; `dieAt` the number of the call, counted from 1. Default: never */
export async function openMortalLake(sql: Sql, task: { objects: string; dieAt?: number }): Promise<MortalLake> {
  let steps = 0
  const step = async (): Promise<void> => {
    if (++steps !== task.dieAt) return
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => {})
  }
  const folder = await openFolderObjects(task.objects)
  const store: BulkObjectStore = {
    ...mortal(folder, ['put', 'putIfAbsent', 'putFile', 'delete'], step),
    // One by one, so that it may die among them.
    async deleteMany(keys) {
      for (const key of keys) {
        await step()
        await folder.delete(key)
      }
    },
  }
  const catalog: Catalog = mortal(await openJdbcCatalog(sql), ['create', 'swap', 'drop'], step)
  return { lake: openLake(catalog, openLakeFiles(store)), step, steps: () => steps }
}

/** Counts the calls that change something, and dies when it is time. */
function mortal<T extends object>(target: T, methods: readonly (keyof T)[], step: () => Promise<void>): T {
  const wrapped = { ...target }
  for (const name of methods) {
    const method = target[name] as (...args: unknown[]) => Promise<unknown>
    Object.assign(wrapped, {
      [name]: async (...args: unknown[]) => {
        await step()
        return method.apply(target, args)
      },
    })
  }
  return wrapped
}
