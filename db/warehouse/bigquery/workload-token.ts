/**
 * Who this process is at Google, as a token of the metadata server: on GKE that is Workload Identity, on Cloud Run and Compute Engine the service account that they run as. Nothing is configured, and no key
 * lies anywhere.
 *
 * Google's own library would also find keys in files and log in by other clouds, which is not wanted here: one way, without a secret. What is left of it is a request.
 * Source: https://cloud.google.com/compute/docs/access/authenticate-workloads#applications
 *
 * Invariant: the token is kept in memory until shortly before it ends, and appears in no error.
 */
import { z } from 'zod'
import { CannotRegister, GoogleUnavailable } from './errors.ts'
import { ask, type Tools } from './request.ts'

/** `renew`: the last one was not accepted. */
export type TokenSource = (tools: Tools & { renew?: boolean }) => Promise<string>

/** The server itself hands out the same token until shortly before its end. */
const MARGIN_MS = 225_000
const FLAVOR = 'metadata-flavor'
const SCOPE = 'https://www.googleapis.com/auth/bigquery'

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })

/** @param host of the metadata server: `metadata.google.internal` */
export function workloadToken(host: string): TokenSource {
  let held: { token: string; untilMs: number } | null = null
  const url = new URL(`http://${host}/computeMetadata/v1/instance/service-accounts/default/token?scopes=${SCOPE}`)

  return async ({ renew = false, ...tools }) => {
    const { clock } = tools
    if (held && !renew && clock.now() < held.untilMs) return held.token
    const askedMs = clock.now()
    const { status, headers, body } = await ask(url, { headers: { [FLAVOR]: 'Google' } }, tools).catch((error) => {
      if (!(error instanceof GoogleUnavailable)) throw error
      throw new GoogleUnavailable(
        `Google's metadata server, which says who this process is, does not answer. ${error.message} On GKE it is there where Workload Identity is on; outside of Google's cloud there is none.`,
      )
    })
    const parsed = tokenAnswer.safeParse(body)
    // Anybody may answer at an address: the header says that it is the one that was meant.
    if (status !== 200 || headers.get(FLAVOR) !== 'Google' || !parsed.success)
      throw new CannotRegister(
        `Google's metadata server at ${host} gives no token (${status}). The pod needs a Kubernetes service account that is bound to a service account of Google (Workload Identity).`,
      )
    const { access_token: token, expires_in: seconds } = parsed.data
    held = { token, untilMs: askedMs + seconds * 1_000 - MARGIN_MS }
    return token
  }
}
