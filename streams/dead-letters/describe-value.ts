/** The bytes of a dead letter for people: as the JSON, the Avro or the text that they are, else in hexadecimal. Nothing it prints moves a terminal's cursor. */
import { avroType } from '../contract/avro.ts'
import type { SchemaRegistry } from '../contract/codec.ts'
import { isWireFormat, schemaIdOf, WIRE_HEADER_BYTES } from '../contract/wire-format.ts'

export interface DescribedValue {
  /** E.g. `JSON`, `Avro by schema 3`, `text`, `binary`. */
  format: string
  text: string
  /** The value, where it is JSON or readable Avro. */
  json?: unknown
}

const SHOWN_BYTES = 16 * 1024
const HEX_BYTES = 1024

/** @param registry asked for the schema of an Avro value; one that does not have it, or does not answer, leaves the bytes */
export async function describeValue(value: Buffer, registry: Pick<SchemaRegistry, 'schema'>): Promise<DescribedValue> {
  if (value.length === 0) return { format: 'empty', text: '' }
  if (isWireFormat(value)) return describeAvro(value, registry)
  const text = textOf(value)
  if (text === null) return { format: 'binary', text: hexDump(value) }
  try {
    const json: unknown = JSON.parse(text)
    return { format: 'JSON', json, text: safe(JSON.stringify(json, null, 2)) }
  } catch {
    return { format: 'text', text: safe(text) }
  }
}

async function describeAvro(value: Buffer, registry: Pick<SchemaRegistry, 'schema'>): Promise<DescribedValue> {
  const id = schemaIdOf(value)
  try {
    const type = avroType(await registry.schema(id))
    const json: unknown = JSON.parse(JSON.stringify(type.fromBuffer(value.subarray(WIRE_HEADER_BYTES))))
    return { format: `Avro by schema ${id}`, json, text: safe(JSON.stringify(json, null, 2)) }
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]
    return { format: `in the wire format of schema ${id}, not readable as such (${why})`, text: hexDump(value) }
  }
}

/** @returns null where the bytes are no text */
function textOf(value: Buffer): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(value)
    // Letters that no text has say that it is none.
    return /[^\P{Cc}\t\r\n]/u.test(text) ? null : text
  } catch {
    return null
  }
}

const safe = (text: string): string => {
  const shown = text.slice(0, SHOWN_BYTES).replace(/[^\P{Cc}\t\n]/gu, '·')
  return text.length > SHOWN_BYTES ? `${shown}\n… ${text.length - SHOWN_BYTES} characters more` : shown
}

/** As `hexdump -C` prints it. */
function hexDump(value: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < Math.min(value.length, HEX_BYTES); at += 16) {
    const row = value.subarray(at, Math.min(at + 16, HEX_BYTES))
    const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = [...row].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${text}`)
  }
  if (value.length > HEX_BYTES) lines.push(`… ${value.length - HEX_BYTES} bytes more`)
  return lines.join('\n')
}
