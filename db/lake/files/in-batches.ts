/** Several at once, but not all: reading many files from S3 one after the other would be waiting, all at once would be a burst. */
const WIDTH = 8

/** @returns results in the order of the items */
export async function inBatches<T, R>(items: readonly T[], each: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let i = 0; i < items.length; i += WIDTH)
    results.push(...(await Promise.all(items.slice(i, i + WIDTH).map(each))))
  return results
}
