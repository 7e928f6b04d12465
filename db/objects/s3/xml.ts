/**
 * The little XML that S3 speaks: flat lists of named texts, in answers whose elements carry no attributes that matter.
 * Not an XML parser: no namespaces, comments or CDATA, which S3's answers don't have.
 */

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The contents of every `<name>…</name>`; elements of one name don't nest in S3's answers. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    ([, inner]) => inner ?? '',
  )
}

/** The text of the first `<name>`; empty when there is none. */
export function text(xml: string, name: string): string {
  return plainOf(elements(xml, name)[0] ?? '')
}

function plainOf(escaped: string): string {
  return escaped.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal))
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16))
    return ENTITIES[name] ?? whole
  })
}

/** For texts that go into XML of ours. */
export const escaped = (plain: string): string =>
  plain.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
