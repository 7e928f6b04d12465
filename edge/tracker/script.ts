/**
 * `/sf.js`: the tracker for pages without a bundler, as `window.sf`. Its options are attributes of its script element:
 *
 *     <script defer src="https://events.shop.example/sf.js" data-key="wk_…"></script>
 *
 * `data-host` names another edge than the script's own origin; `data-consent="required"` waits for `sf.consent(true)`; `data-pages="off"` leaves page views to `sf.page()`.
 * A page that calls before the script is there does so by `(window.sf ||= []).push(['track', 'Signed Up'])`.
 */
import { createTracker, type Tracker } from './index.ts'

type Call = [method: keyof Tracker, ...args: unknown[]]

const { src, dataset } = document.currentScript as HTMLScriptElement
const tracker = createTracker({
  key: dataset.key ?? '',
  host: dataset.host?.replace(/\/$/, '') ?? new URL(src).origin,
  consent: dataset.consent === 'required' ? 'required' : undefined,
  pages: dataset.pages !== 'off',
})
const page = window as { sf?: Call[] | (Tracker & { push(call: Call): void }) }
const early = page.sf
const push = ([method, ...args]: Call): void => void (tracker[method] as (...args: unknown[]) => unknown)(...args)
page.sf = { ...tracker, push }
if (Array.isArray(early)) early.forEach(push)
