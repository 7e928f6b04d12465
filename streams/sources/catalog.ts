/**
 * What the simulated shop sells and where its visitors are: plain data. Prices are in TRY; a category's `typicalPrice` is the median of its
 * log-normal prices.
 */

export interface CategorySpec {
  readonly name: string
  readonly typicalPrice: number
  /** Relative: how much of the visitors' interest it gets. */
  readonly weight: number
  readonly products: readonly string[]
}

const category = (name: string, typicalPrice: number, weight: number, products: string): CategorySpec => ({
  name,
  typicalPrice,
  weight,
  products: products.split(' '),
})

export const CATEGORIES: readonly CategorySpec[] = [
  category(
    'electronics',
    3200,
    22,
    'wireless-headphones smart-watch phone-case tablet-10-inch bluetooth-speaker power-bank 4k-television robot-vacuum game-controller action-camera',
  ),
  category(
    'fashion',
    650,
    20,
    'denim-jacket linen-shirt running-shoes leather-belt wool-scarf summer-dress rain-coat canvas-backpack',
  ),
  category(
    'home',
    900,
    15,
    'coffee-machine bamboo-towel-set desk-lamp throw-blanket cast-iron-pan storage-basket wall-clock duvet-cover',
  ),
  category('beauty', 320, 12, 'vitamin-c-serum sunscreen-spf50 argan-shampoo matte-lipstick shaving-kit eau-de-parfum'),
  category('sports', 750, 10, 'yoga-mat dumbbell-set camping-tent cycling-helmet water-bottle resistance-bands'),
  category('books', 180, 9, 'novel-paperback cookbook travel-guide picture-book history-atlas crossword-collection'),
  category('toys', 280, 7, 'wooden-train building-blocks puzzle-1000 plush-bear remote-control-car board-game'),
  category('grocery', 140, 5, 'turkish-coffee-500g olive-oil-1l antep-pistachios dried-figs black-tea-1kg pine-honey'),
]

/** Visitors' regions, by falling share. */
export const REGIONS = [
  'istanbul',
  'ankara',
  'izmir',
  'bursa',
  'antalya',
  'adana',
  'konya',
  'gaziantep',
  'kayseri',
  'trabzon',
] as const

/** Where trips are taken, by falling share. */
export const DISTRICTS = [
  'kadikoy',
  'besiktas',
  'sisli',
  'uskudar',
  'fatih',
  'beyoglu',
  'bakirkoy',
  'atasehir',
  'maltepe',
  'sariyer',
  'pendik',
  'beylikduzu',
] as const

export const DEVICES = [
  'mobile',
  'mobile',
  'mobile',
  'mobile',
  'mobile',
  'mobile',
  'desktop',
  'desktop',
  'desktop',
  'tablet',
] as const

export const REFERRERS = [
  null,
  null,
  null,
  null,
  'https://www.google.com/',
  'https://www.google.com/',
  'https://www.instagram.com/',
  'https://news.example/deals',
] as const

export const PAGES = ['/', '/deals', '/new', '/search?q=gift', '/help/shipping', '/account'] as const
