/**
 * Whether a browser that sends events is a program's: a crawler, a monitor, a headless one. Flagged only: bots are stored and counted like everybody, and queries leave them out.
 *
 * Only what calls itself a browser is judged. The HTTP libraries of servers and apps (node, python-requests, curl) are programs too, but what they send was done by people.
 */
import { isbot } from 'isbot'

const BROWSER = /^mozilla\//i
/** Real ones are shorter, and the list of bots is a long expression. */
const LENGTH_MAX = 512

/** @returns null where nobody can tell */
export const botBy = (userAgent: string | null): boolean | null =>
  userAgent !== null && BROWSER.test(userAgent) ? isbot(userAgent.slice(0, LENGTH_MAX)) : null
