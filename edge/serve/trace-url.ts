/** Where a trace is shown. */

/** @param template with `{trace_id}` in it; null: none is known. @returns null where there is no trace or no place */
export const traceUrlOf = (template: string | null, traceId: string | null): string | null =>
  template === null || traceId === null ? null : template.replaceAll('{trace_id}', traceId)
