/** Rows of the lake that come user by user, as one array each: a user's day fits into memory, all users' does not. */
export async function* byUser<R extends { user: string; partition: number }>(
  pages: AsyncIterable<readonly R[]>,
): AsyncGenerator<R[]> {
  let group: R[] = []
  for await (const page of pages)
    for (const row of page) {
      const [first] = group
      if (first && (first.user !== row.user || first.partition !== row.partition)) {
        yield group
        group = []
      }
      group.push(row)
    }
  if (group.length > 0) yield group
}
