import type { RecordPosition } from '../log/event-log.ts'

/** Names the record that came late, and the operator that refused it: the id under which it is announced, once, and by which it is found again. */
export const lateCauseOf = ({ topic, partition, offset }: RecordPosition, operator: string): string =>
  `late/${topic}/${partition}/${offset}/${operator}`
