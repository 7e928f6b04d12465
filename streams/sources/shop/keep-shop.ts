/**
 * The life of a shop in its database: people order, orders are paid, shipped, delivered or cancelled, prices move, shelves are filled, old orders are cleared away.
 * Invariant: each step is one transaction, as a shop's program would write it; a database that is away is waited for.
 */
import type { Sql, Transaction } from '../../../db/postgres/connect.ts'
import type { Clock } from '../../time/clock.ts'
import type { Random } from '../random.ts'

export interface KeepShopOptions {
  sql: Sql
  clock: Clock
  random: Random
  /** Transactions per second, on average. */
  rate: number
  currency: string
  signal: AbortSignal
  onError?: (error: Error) => void
}

/** Orders beyond these are cleared away, the oldest first. */
const ORDERS_KEPT = 2_000
const PAUSE_MS = 1_000

/** @returns how many transactions were made, when the signal aborts */
export async function keepShop({
  sql,
  clock,
  random,
  rate,
  currency,
  signal,
  onError,
}: KeepShopOptions): Promise<number> {
  let made = 0
  while (!signal.aborted) {
    try {
      await sql.begin((tx) => step(tx, random, currency))
      made++
      await clock.sleep(random.exponential(1_000 / rate), signal)
    } catch (error) {
      onError?.(error as Error)
      await clock.sleep(PAUSE_MS, signal)
    }
  }
  return made
}

async function step(tx: Transaction, random: Random, currency: string): Promise<unknown> {
  const dice = random.next()
  if (dice < 0.45) return placeOrder(tx, random, currency)
  if (dice < 0.8) return advanceOrder(tx, random)
  if (dice < 0.9) {
    return tx`UPDATE products SET price = round(price * ${random.between(0.85, 1.18)}::numeric, 2), updated_at = now()
      WHERE id = (SELECT id FROM products ORDER BY random() LIMIT 1)`
  }
  if (dice < 0.98) {
    return tx`UPDATE products SET stock = stock + ${50 + random.below(100)}, updated_at = now()
      WHERE id = (SELECT id FROM products ORDER BY stock LIMIT 1)`
  }
  return tx`DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id DESC OFFSET ${ORDERS_KEPT})`
}

async function placeOrder(tx: Transaction, random: Random, currency: string): Promise<void> {
  const quantities = Array.from({ length: 1 + random.below(3) }, () => 1 + random.below(3))
  const goods = await tx<{ id: number; price: string }[]>`
    SELECT id, price FROM products WHERE stock > 0 ORDER BY random() LIMIT ${quantities.length} FOR UPDATE`
  if (goods.length === 0) return
  const [order] = await tx<{ id: number }[]>`
    INSERT INTO orders (user_id, status, total, currency) VALUES (${`user-${random.below(500)}`}, 'placed', 0, ${currency}) RETURNING id`
  for (const [i, { id, price }] of goods.entries()) {
    await tx`INSERT INTO order_items (order_id, product_id, quantity, price) VALUES (${order!.id}, ${id}, ${quantities[i]!}, ${price})`
    await tx`UPDATE products SET stock = greatest(0, stock - ${quantities[i]!}), updated_at = now() WHERE id = ${id}`
  }
  await tx`UPDATE orders SET total = (SELECT sum(quantity * price) FROM order_items WHERE order_id = ${order!.id}) WHERE id = ${order!.id}`
}

/** What may follow, by what an order is; the first is the likelier. */
const NEXT: Readonly<Record<string, readonly [string, string]>> = {
  placed: ['paid', 'cancelled'],
  paid: ['shipped', 'refunded'],
  shipped: ['delivered', 'returned'],
}

async function advanceOrder(tx: Transaction, random: Random): Promise<void> {
  const [order] = await tx<{ id: number; status: string }[]>`
    SELECT id, status FROM orders WHERE status IN ('placed', 'paid', 'shipped') ORDER BY updated_at LIMIT 1 FOR UPDATE SKIP LOCKED`
  if (!order) return
  const status = NEXT[order.status]![random.chance(0.9) ? 0 : 1]
  await tx`UPDATE orders SET status = ${status}, updated_at = now() WHERE id = ${order.id}`
}
