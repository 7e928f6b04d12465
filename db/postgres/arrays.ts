/** PostgreSQL array literals: how many values travel as one text parameter, cast by the statement (`$1::text::bigint[]`). */

const NULL = 'NULL'

/** Finite numbers, ±Infinity for `float8[]`, and booleans, none of which needs quotes. */
export const plainArray = (values: readonly (number | boolean | typeof NULL)[]): string => `{${values.join(',')}}`

export const nullableArray = (values: readonly (number | boolean | null)[]): string =>
  plainArray(values.map((value) => value ?? NULL))

export const textArray = (values: readonly (string | null)[]): string => `{${values.map(element).join(',')}}`

const element = (value: string | null): string =>
  value === null ? NULL : `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`
