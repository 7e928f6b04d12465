/** How far another machine's clock is from the one here: two readings of ours around one of theirs. Pure. */
import { Broken, type Finding, ok, warning } from './check.ts'

const WARN_MS = 2_000
/** Tokens, signatures of S3 and the order of events stand on clocks that agree to minutes. */
const BROKEN_MS = 60_000

export interface Reading {
  theirMs: number
  /** Ours just before they were asked, and just after they answered. */
  beforeMs: number
  afterMs: number
  /** How exactly they tell it. */
  toMs?: number
}

export const SKEW_MATTERS =
  'Access tokens, signatures of S3 and "received" times of events are read by other machines than those that write them.'
export const SKEW_REMEDY = 'Let chrony or systemd-timesyncd set the clocks of all machines: "timedatectl status" tells.'

/** 0 where theirs may be the same as ours; else how far ahead theirs is at least. */
export function skewMs({ theirMs, beforeMs, afterMs, toMs = 0 }: Reading): number {
  if (theirMs > afterMs) return theirMs - afterMs
  return theirMs + toMs < beforeMs ? theirMs + toMs - beforeMs : 0
}

/** @throws Broken where nothing that compares times can be right */
export function clockFinding(reading: Reading): Finding {
  const skew = skewMs(reading)
  const seconds = (Math.abs(skew) / 1000).toFixed(1)
  const sentence = `Its clock is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} the one here.`
  if (Math.abs(skew) > BROKEN_MS) throw new Broken(sentence)
  return Math.abs(skew) > WARN_MS ? warning(sentence) : ok(skew === 0 ? 'as here' : sentence)
}
