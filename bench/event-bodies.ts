/** Bodies of clicks for the load on the edge, never the same twice. */
const TYPES = ['page_view', 'page_view', 'product_view', 'add_to_cart']

/** @param round in the ids: those of another round would be duplicates @returns makes the next body, of so many events */
export function eventBodies(round: number, batch: number): () => string {
  let events = 0
  return () => {
    const lines: string[] = []
    for (let i = 0; i < batch; i++) {
      const n = events++
      lines.push(
        `{"event_id":"${String(round).padStart(8, '0')}-0000-4000-a000-${n.toString(16).padStart(12, '0')}","event_type":"${TYPES[n % 4]}","user_id":"u${(n * 7919) % 50_000}","page_url":"/p/p${n % 5000}","product_id":"p${n % 5000}","region":"EU-West","device":"mobile"}`,
      )
    }
    return `[${lines.join(',')}]`
  }
}
