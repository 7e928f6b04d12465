/** The dashboard: follows the live stream, shows each snapshot, and always says how fresh what it shows is. */
import type { Snapshot } from '../serve/live.ts'
import { createAlertFeed } from './alerts.ts'
import { ApiError, liveEvents, signIn } from './api.ts'
import { showBatch } from './batch.ts'
import { createRateChart, createRevenueChart } from './charts.ts'
import { byId } from './dom.ts'
import { dateTime, duration } from './format.ts'
import { showPipelines, showProducts, showRates, showRevenue, showTiles } from './overview.ts'
import { createUserLookup } from './user.ts'

const STALE_MS = 5000
const RETRY_MAX_MS = 10_000

const rateChart = createRateChart(byId('rate-chart'))
const revenueChart = createRevenueChart(byId('revenue-chart'))
rateChart.draw(null, 'Waiting for data …')
revenueChart.draw(null, 'Waiting for data …')
const showAlerts = createAlertFeed(createUserLookup())
let receivedAt = 0

function setStatus(state: 'connecting' | 'live' | 'stale' | 'offline', text: string): void {
  const status = byId('status')
  // The status is announced: so it is only touched when it changes.
  if (status.dataset.state === state && byId('status-text').textContent === text) return
  status.dataset.state = state
  byId('status-text').textContent = text
}

function show(snapshot: Snapshot): void {
  receivedAt = Date.now()
  setStatus('live', 'Live')
  const { range, watermark, freshness_ms } = snapshot
  byId('fresh').textContent =
    watermark === null || freshness_ms === null
      ? 'no events yet'
      : `complete to ${dateTime(watermark)}, ${duration(Math.max(0, freshness_ms))} ago`
  byId('range').textContent = range.live
    ? 'the last hour'
    : `${dateTime(range.from).slice(0, 16)} to ${dateTime(range.to).slice(11, 16)}`
  const notice = byId('notice')
  notice.hidden = range.live && watermark !== null
  notice.textContent = range.live
    ? 'Nothing has arrived yet. Send an event with the curl line that npm start printed, or run npx streamforge simulate.'
    : 'No event is from the last hour. Shown is the hour in which the data ends.'
  showTiles(snapshot)
  showRates(rateChart, snapshot)
  showRevenue(revenueChart, snapshot)
  showProducts(snapshot)
  showAlerts(snapshot)
  showPipelines(snapshot)
  showBatch(snapshot)
}

function askToSignIn(): Promise<void> {
  const dialog = byId<HTMLDialogElement>('sign-in')
  const form = byId<HTMLFormElement>('sign-in-form')
  dialog.showModal()
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault()
      const fields = new FormData(form)
      try {
        await signIn(String(fields.get('username')), String(fields.get('password')))
        form.reset()
        dialog.close()
        resolve()
      } catch (error) {
        byId('sign-in-error').textContent = (error as Error).message
      }
    }
  })
}

async function follow(): Promise<void> {
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
    try {
      for await (const { event, data } of liveEvents()) {
        waitMs = 500
        if (event === 'snapshot') show(JSON.parse(data) as Snapshot)
        else if (event === 'problem') setStatus('stale', 'Results can not be read at the moment')
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        setStatus('connecting', 'Sign in to read')
        await askToSignIn()
        continue
      }
    }
    setStatus('offline', 'Not connected, trying again …')
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

setInterval(() => {
  if (byId('status').dataset.state === 'live' && Date.now() - receivedAt > STALE_MS)
    setStatus('stale', 'No news for some seconds')
}, 1000)
void follow()
