/** The presets of `streamforge replay`, by name. */
import type { Mapping } from './mapping.ts'
import { nycTlc } from './nyc-tlc.ts'
import { onlineRetail } from './online-retail.ts'
import { rees46 } from './rees46.ts'

export const PRESETS: Readonly<Record<string, Mapping>> = {
  rees46,
  'online-retail': onlineRetail,
  'nyc-tlc': nycTlc,
}
