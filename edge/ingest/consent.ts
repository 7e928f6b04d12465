/**
 * What an event says of the consent of whom it is about. One without it is let go before anything else is looked at: it is counted, and neither stored nor kept in mind.
 *
 * Our own form says it with `consent`, Segment's messages with their categories.
 */
import { type Fields, field, fieldsOf } from './segment/loose.ts'

/** `open`: it says nothing. `unreadable`: it says something that is no answer, and must not pass for a yes. */
export type Consent = 'given' | 'open' | 'refused' | 'unreadable'

/** @param raw an event in the HTTP form */
export function consentOf(raw: unknown): Consent {
  const consent = field(fieldsOf(raw), 'consent') ?? null
  if (consent === null) return 'open'
  if (consent === true) return 'given'
  return consent === false ? 'refused' : 'unreadable'
}

/** Whether what says so is to be let go. Whoever says nothing is taken, unless the write key requires a yes. */
export const isWithoutConsent = (consent: Consent, isRequired: boolean): boolean =>
  consent === 'refused' || (consent === 'open' && isRequired)

/**
 * What the context of a message says of what this is: analytics, by the name that Segment's documentation gives the category. Null: nothing.
 * https://segment.com/docs/privacy/consent-management/consent-in-segment-connections/
 */
export function agreesToAnalytics(context: Fields | null): boolean | null {
  const preferences = fieldsOf(field(fieldsOf(field(context, 'consent')), 'categoryPreferences'))
  if (!preferences) return null
  const said = Object.keys(preferences)
    .filter((category) => category.toLowerCase() === 'analytics')
    .map((category) => preferences[category])
  if (said.includes(false)) return false
  return said.includes(true) ? true : null
}
