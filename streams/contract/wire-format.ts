/** The Confluent wire format: byte 0, the schema's id as 4 bytes big-endian, then Avro binary. Source: Confluent Schema Registry, "Wire format". */
export const WIRE_HEADER_BYTES = 5

export const isWireFormat = (value: Buffer): boolean => value[0] === 0 && value.length >= WIRE_HEADER_BYTES

/** @param value in the wire format, see {@link isWireFormat} */
export const schemaIdOf = (value: Buffer): number => value.readUInt32BE(1)
