/**
 * Categories for the goods of the Online Retail file, which has none: the first category of this list that has a word of the description.
 * Lines that sell no goods (postage, fees, discounts, manual corrections) have a code that doesn't begin with five digits: `services`.
 */
const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const CATEGORIES: readonly (readonly [name: string, words: ReadonlySet<string>])[] = [
  ['christmas', words('CHRISTMAS XMAS SANTA ADVENT SNOWFLAKE REINDEER NOEL')],
  ['lighting', words('LIGHT LIGHTS LANTERN LAMP CANDLE CANDLES CANDLEHOLDER CHANDELIER')],
  ['bags', words('BAG BAGS PURSE LUNCH SHOPPER BACKPACK')],
  [
    'kitchen',
    words(
      'MUG CUP CUPS BOWL PLATE PLATES TEA TEAPOT COFFEE CAKE CAKESTAND CASES JAM JAR JARS BISCUIT COOKIE BAKING KITCHEN OVEN CUTLERY TRAY APRON BOTTLE SAUCER PANTRY RECIPE SPOON SPOONS NAPKIN NAPKINS TIN EGG GLASS DISH',
    ),
  ],
  [
    'stationery',
    words(
      'CARD CARDS PAPER WRAP NOTEBOOK NOTEBOOKS PENCIL PENCILS PEN STICKERS STICKER JOURNAL ENVELOPE TISSUES RIBBON RIBBONS BOOK TAPE STAMP CALENDAR TAGS',
    ),
  ],
  [
    'toys',
    words(
      'TOY GAME PUZZLE DOLL DOLLY DOMINOES CHILDRENS CHILDS SPACEBOY SKITTLES JIGSAW MARBLES TEDDY BINGO FELTCRAFT PLAYHOUSE',
    ),
  ],
  ['jewellery', words('NECKLACE BRACELET EARRINGS RING CHARM BROOCH HAIR HAIRCLIP HAIRCLIPS BEADS CRYSTAL')],
  [
    'decoration',
    words(
      'HEART HEARTS DECORATION DECORATIONS HANGING SIGN ORNAMENT FRAME CLOCK WREATH BUNTING GARLAND MIRROR VASE PICTURE DOORMAT CUSHION WICKER FLOWER FLOWERS DOOR CABINET HOOK HOOKS DRAWER KNOB BOX BOXES HOLDER BLOCK',
    ),
  ],
]

const GOODS = /^(\d{5}|DCGS|gift)/

export function retailCategory(stockCode: string, description: string): string {
  if (!GOODS.test(stockCode)) return 'services'
  const found = description.toUpperCase().split(/[^A-Z]+/)
  for (const [name, set] of CATEGORIES) if (found.some((word) => set.has(word))) return name
  return 'other'
}
