/**
 * Trino's JSON values as JavaScript's, by their type. Invariant: nothing is rounded: what a double can't hold is a bigint or a text.
 *
 * tinyint … integer, real, double → number (NaN and infinities included); bigint → bigint; decimal → its text; boolean → boolean; varbinary → Buffer; date → `2026-11-20`;
 * time → `01:02:03.123456`; timestamp → `2026-11-20T01:02:03.123456`, with time zone → the same with `Z`, `+03:00`, or `[Europe/Istanbul]` (RFC 9557) at its end; array → array; map → Map;
 * row → object; all else (varchar, uuid, json, intervals …) → its text.
 */
import { isLosslessNumber } from 'lossless-json'

export type TrinoValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | TrinoValue[]
  | Map<TrinoValue, TrinoValue>
  | { [field: string]: TrinoValue }

/** As the protocol describes a column's type. */
export interface TypeSignature {
  rawType: string
  arguments: { kind: string; value: unknown }[]
}

interface NamedType {
  fieldName?: { name: string } | null
  typeSignature: TypeSignature
}

type Decoder = (value: unknown) => TrinoValue

/** Made once per column. */
export function decoderOf(signature: TypeSignature): Decoder {
  const decode = bareDecoderOf(signature)
  return (value) => (value === null || value === undefined ? null : decode(value))
}

function bareDecoderOf({ rawType, arguments: parameters }: TypeSignature): Decoder {
  // The kinds of arguments follow from the type: types for arrays and maps, named types for rows.
  const typeAt = (i: number): Decoder => decoderOf(parameters[i]!.value as TypeSignature)
  switch (rawType) {
    case 'boolean':
      // As a map's key it is a text.
      return (value) => value === true || value === 'true'
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'real':
    case 'double':
      // NaN and the infinities come as texts that Number reads.
      return (value) => Number(textOf(value))
    case 'bigint':
      return (value) => BigInt(textOf(value))
    case 'varbinary':
      return (value) => Buffer.from(textOf(value), 'base64')
    case 'timestamp':
      return (value) => textOf(value).replace(' ', 'T')
    case 'timestamp with time zone':
      return (value) => withZone(textOf(value))
    case 'array': {
      const element = typeAt(0)
      return (value) => (value as unknown[]).map(element)
    }
    case 'map': {
      const key = typeAt(0)
      const item = typeAt(1)
      return (value) => new Map(Object.entries(value as object).map(([k, v]) => [key(k), item(v)]))
    }
    case 'row': {
      const fields = parameters.map(({ value }, i) => {
        const { fieldName, typeSignature } = value as NamedType
        return { name: fieldName?.name ?? `field${i}`, decode: decoderOf(typeSignature) }
      })
      return (value) => Object.fromEntries(fields.map(({ name, decode }, i) => [name, decode((value as unknown[])[i])]))
    }
    default:
      return textOf
  }
}

/** `2026-11-20 01:02:03.123 UTC`, `… +03:00` or `… Europe/Istanbul`. */
function withZone(text: string): string {
  const [date = '', time = '', zone = ''] = text.split(' ')
  if (zone === 'UTC' || zone === 'Z') return `${date}T${time}Z`
  return `${date}T${time}${/^[+-]/.test(zone) ? zone : `[${zone}]`}`
}

const textOf = (value: unknown): string => (isLosslessNumber(value) ? value.value : String(value))
