/** What the API must answer after the Online Retail file was replayed with its own times, computed from the file alone. */
import { at, csvRows, HOUR_MS, hundredths, largestStepBack, MINUTE_MS, startOf, unique, utc } from './csv.ts'

export interface NaiveOrders {
  rows: number
  duplicates: number[]
  refused: Map<number, string>
  orders: number
  refunds: number
  users: number
  /** Of successful orders, and given back by refunds. Pence. */
  revenueMinor: number
  refundedMinor: number
  zeroAmountOrders: number
  /** By start of the minute and category. */
  revenue: Map<string, { orders: number; revenueMinor: number; refunds: number; refundedMinor: number }>
  /** Successful orders by start of the hour and product. */
  products: Map<string, { purchases: number; revenueMinor: number }>
  /** Net of refunds is not asked for: these are successful orders only. */
  byUser: Map<string, { orders: number; revenueMinor: number; refunds: number }>
  largestStepBackMs: number
}

/** The categories by hand: which words of a description make which. The first that fits, in this order. */
const CATEGORY_WORDS = `
christmas: CHRISTMAS XMAS SANTA ADVENT SNOWFLAKE REINDEER NOEL
lighting: LIGHT LIGHTS LANTERN LAMP CANDLE CANDLES CANDLEHOLDER CHANDELIER
bags: BAG BAGS PURSE LUNCH SHOPPER BACKPACK
kitchen: MUG CUP CUPS BOWL PLATE PLATES TEA TEAPOT COFFEE CAKE CAKESTAND CASES JAM JAR JARS BISCUIT COOKIE BAKING KITCHEN OVEN CUTLERY TRAY APRON BOTTLE SAUCER PANTRY RECIPE SPOON SPOONS NAPKIN NAPKINS TIN EGG GLASS DISH
stationery: CARD CARDS PAPER WRAP NOTEBOOK NOTEBOOKS PENCIL PENCILS PEN STICKERS STICKER JOURNAL ENVELOPE TISSUES RIBBON RIBBONS BOOK TAPE STAMP CALENDAR TAGS
toys: TOY GAME PUZZLE DOLL DOLLY DOMINOES CHILDRENS CHILDS SPACEBOY SKITTLES JIGSAW MARBLES TEDDY BINGO FELTCRAFT PLAYHOUSE
jewellery: NECKLACE BRACELET EARRINGS RING CHARM BROOCH HAIR HAIRCLIP HAIRCLIPS BEADS CRYSTAL
decoration: HEART HEARTS DECORATION DECORATIONS HANGING SIGN ORNAMENT FRAME CLOCK WREATH BUNTING GARLAND MIRROR VASE PICTURE DOORMAT CUSHION WICKER FLOWER FLOWERS DOOR CABINET HOOK HOOKS DRAWER KNOB BOX BOXES HOLDER BLOCK`
  .trim()
  .split('\n')
  .map((line) => line.split(': ') as [string, string])

function categoryOf(stockCode: string, description: string): string {
  if (!/^\d\d\d\d\d/.test(stockCode) && !stockCode.startsWith('DCGS') && !stockCode.startsWith('gift'))
    return 'services'
  // Letters alone make words; a blank on either side lets a whole word be looked for.
  const spaced = ` ${description.toUpperCase().replace(/[^A-Z]/g, ' ')} `
  for (const [category, words] of CATEGORY_WORDS) {
    if (words.split(' ').some((word) => spaced.includes(` ${word} `))) return category
  }
  return 'other'
}

export function naiveOnlineRetail(path: string): NaiveOrders {
  const all = csvRows(path)
  const refused = new Map<number, string>()
  const valid = all.filter((row) => {
    if (!row.get('InvoiceNo').startsWith('C') && Number(row.get('Quantity')) <= 0)
      refused.set(row.line, 'stock adjustment')
    else if (hundredths(row.get('UnitPrice')) < 0) refused.set(row.line, 'negative price')
    return !refused.has(row.line)
  })
  const { rows, duplicates } = unique(valid)
  const result: NaiveOrders = {
    rows: all.length,
    duplicates,
    refused,
    orders: 0,
    refunds: 0,
    users: 0,
    revenueMinor: 0,
    refundedMinor: 0,
    zeroAmountOrders: 0,
    revenue: new Map(),
    products: new Map(),
    byUser: new Map(),
    largestStepBackMs: largestStepBack(all.map((row) => utc(row.get('InvoiceDate')))),
  }
  for (const row of rows) {
    const time = utc(row.get('InvoiceDate'))
    const amount = Math.abs(Number(row.get('Quantity'))) * hundredths(row.get('UnitPrice'))
    const customer = row.get('CustomerID')
    const user = customer === '' ? `guest-${row.get('InvoiceNo')}` : customer.slice(0, -'.0'.length)
    const category = categoryOf(row.get('StockCode'), row.get('Description'))
    const minute = at(result.revenue, `${startOf(time, MINUTE_MS)} ${category}`, () => ({
      orders: 0,
      revenueMinor: 0,
      refunds: 0,
      refundedMinor: 0,
    }))
    const buyer = at(result.byUser, user, () => ({ orders: 0, revenueMinor: 0, refunds: 0 }))
    if (row.get('InvoiceNo').startsWith('C')) {
      result.refunds++
      result.refundedMinor += amount
      minute.refunds++
      minute.refundedMinor += amount
      buyer.refunds++
      continue
    }
    result.orders++
    result.revenueMinor += amount
    if (amount === 0) result.zeroAmountOrders++
    minute.orders++
    minute.revenueMinor += amount
    buyer.orders++
    buyer.revenueMinor += amount
    const product = at(result.products, `${startOf(time, HOUR_MS)} ${row.get('StockCode')}`, () => ({
      purchases: 0,
      revenueMinor: 0,
    }))
    product.purchases++
    product.revenueMinor += amount
  }
  result.users = result.byUser.size
  return result
}
