/** The dashboard: who is signed in, the live stream, and the panels that show it. */
import type { Snapshot } from '../serve/live.ts'
import { createAnnouncer } from './announce.ts'
import { createApi } from './api.ts'
import { byId } from './dom.ts'
import { counted } from './format.ts'
import { followLive, type ServerEvent } from './live-stream.ts'
import { createOverview } from './overview.ts'
import { createPanel } from './panel.ts'
import { createAlertDialog } from './panels/alert-dialog.ts'
import { createAlertFeed, type FeedAlert, feedAlertOf } from './panels/alert-feed.ts'
import { showBatch } from './panels/batch.ts'
import { createLetterSheet } from './panels/letter-sheet.ts'
import { createPipelines } from './panels/pipelines.ts'
import { followQuality, followReconciliation } from './panels/proof.ts'
import { followQuarantine } from './panels/quarantine.ts'
import { followShop } from './panels/shop.ts'
import { createUserLookup } from './panels/user.ts'
import { placeOf, takeLoginCode } from './place.ts'
import { createSession } from './session.ts'
import { createSignIn } from './sign-in.ts'
import { createStatus } from './status.ts'
import { chooseTheme, chosenTheme, type Theme } from './theme.ts'

const theme = byId<HTMLSelectElement>('theme')
theme.value = chosenTheme()
theme.addEventListener('change', () => chooseTheme(theme.value as Theme))

const signIn = createSignIn()
const session = createSession(signIn, takeLoginCode())
signIn.use(session)
const api = createApi(session)

const status = createStatus()
const overview = createOverview(api)
const showPipelines = createPipelines(createPanel('pipelines'))
const batch = createPanel('batch')
const lookUp = createUserLookup(createPanel('user'), api)
const openAlert = createAlertDialog({ api, session, lookUp, onReviewed: (alert) => feed.tell([feedAlertOf(alert)]) })
const feed = createAlertFeed(createPanel('alerts'), api, openAlert)
const announceAlerts = createAnnouncer((times) => `${counted(times, 'new fraud alert')}`)

const openLetter = createLetterSheet({ api, session, onReplayed: () => quarantine.ask() })
const quarantine = followQuarantine(createPanel('quarantine'), api, openLetter)

followShop(api)
followQuality(createPanel('quality'), api)
followReconciliation(createPanel('reconciliation'), api)
feed.load()
const linked = placeOf('alert')
if (linked) openAlert(linked)
const linkedLetter = placeOf('letter')
if (linkedLetter) openLetter(linkedLetter)

function show(snapshot: Snapshot): void {
  status.live(snapshot)
  overview.show(snapshot)
  tell(snapshot.alerts)
  showPipelines(snapshot)
  showBatch(batch, snapshot)
}

function tell(alerts: readonly FeedAlert[]): void {
  announceAlerts(feed.tell(alerts).length)
}

function onEvent({ event, data }: ServerEvent): void {
  if (event === 'snapshot') show(JSON.parse(data) as Snapshot)
  else if (event === 'alert') tell([feedAlertOf(JSON.parse(data))])
  // Too much has happened meanwhile to be told one by one.
  else if (event === 'reset') feed.load()
  else if (event === 'problem') status.set('stale', 'Results can not be read at the moment')
}

void followLive(session, { onEvent, onAway: (sentence) => status.set('offline', sentence) })
