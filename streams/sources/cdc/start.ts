/**
 * The CDC source's composition root: opens the log and runs the source over it, in a thread of the embedded platform (`thread.ts`) or as a process of its own.
 * Invariant: what is opened here is closed here.
 */
import type { Logger } from '../../../observability/log.ts'
import type { Registry } from '../../../observability/metrics.ts'
import { openLog, type StoreSettings } from '../../stores.ts'
import { type Clock, systemClock } from '../../time/clock.ts'
import type { CdcObserver } from './observer.ts'
import type { CdcSettings } from './settings.ts'
import { createCdcSource } from './source.ts'
import { createCdcTelemetry } from './telemetry.ts'

export interface CdcOptions {
  stores: StoreSettings
  settings: CdcSettings
  /** Of this program. */
  version: string
  logger: Logger
  metrics: Registry
  /** Told what the source tells, besides metrics and log. */
  observer?: Partial<CdcObserver>
  clock?: Clock
}

export interface RunningCdc {
  readonly done: Promise<void>
  stop(): Promise<void>
}

export async function startCdc(options: CdcOptions): Promise<RunningCdc> {
  const { stores, settings, version, logger, metrics, clock = systemClock } = options
  const { log } = await openLog(stores, { logger, clock })
  const observer = both(createCdcTelemetry(metrics, logger, clock), options.observer ?? {})
  const source = createCdcSource({ settings, log, clock, observer, version })
  const done = source.run().finally(() => log.close())
  return {
    done,
    async stop() {
      source.stop()
      await done
    },
  }
}

/** One that tells two. */
function both(one: CdcObserver, other: Partial<CdcObserver>): CdcObserver {
  const names = Object.keys(one) as (keyof CdcObserver)[]
  const told = names.map((name) => {
    const tell = (...args: never[]): void => {
      ;(one[name] as (...args: never[]) => void)(...args)
      ;(other[name] as ((...args: never[]) => void) | undefined)?.(...args)
    }
    return [name, tell] as const
  })
  return Object.fromEntries(told) as unknown as CdcObserver
}
