/** The one calm screen of `npm start`: where things are, and how to send the first event. In the cluster form also which processes there are. */
import { resolve } from 'node:path'
import type { Config } from '../db/config.ts'
import type { Secrets } from '../db/secrets.ts'
import type { Edge } from '../edge/main.ts'
import type { Server } from './cluster/servers.ts'

export interface BannerInput {
  edge: Pick<Edge, 'url' | 'firstLogin'>
  secrets: Secrets
  config: Pick<Config, 'dataDir' | 'rate' | 'writeKey' | 'adminPassword'>
  simulate: boolean
  /** Signs in once; null where none could be made. */
  loginLink: string | null
  /** In a few words. */
  workflows: string
  /** Of the cluster form. */
  parts?: readonly Server[] | undefined
}

export function banner({ edge, secrets, config, simulate, loginLink, workflows, parts = [] }: BannerInput): string {
  const key = secrets.writeKey.reveal()
  const { firstLogin } = edge
  const password = config.adminPassword
    ? 'as given in STREAMFORGE_ADMIN_PASSWORD'
    : 'with the password of the first start'
  const login = firstLogin
    ? `${firstLogin.username} / ${firstLogin.password}   (shown this once: keep it)`
    : `admin, ${password}`
  return `
  StreamForge is running${parts.length > 0 ? ' as a cluster' : ''}

  Dashboard     ${edge.url}/${loginLink ? `\n  Sign in       ${loginLink}   (once, within 15 minutes)` : ''}
  API           ${edge.url}/docs
  Write key     ${config.writeKey ? 'as given in STREAMFORGE_WRITE_KEY' : key}
  Admin login   ${login}
  Data          ${config.dataDir}
  Workflows     ${workflows}
  Simulator     ${simulate ? `${config.rate} events/s (--no-simulate turns it off)` : 'off'}
${processes(parts)}
  Send an event:
    curl ${edge.url}/api/v1/orders -H "X-Write-Key: ${config.writeKey ? '$STREAMFORGE_WRITE_KEY' : key}" \\
      -H "Content-Type: application/json" \\
      -d '{"order_id":"first-1","user_id":"me","product_id":"kettle","category":"home","amount":49.90}'
    curl ${edge.url}/api/v1/features/me -H "Authorization: Bearer $(npx streamforge token${dataOption(config.dataDir)})"

  Ctrl-C stops; the next start goes on with all data.

`
}

/** Where commands look for the platform unless told: there it need not be said. */
const dataOption = (dataDir: string): string => (dataDir === resolve('data') ? '' : ` --data ${dataDir}`)

function processes(parts: readonly Server[]): string {
  if (parts.length === 0) return ''
  const width = Math.max(...parts.map(({ address }) => address.length))
  const lines = parts.map(
    ({ name, address, pid }) =>
      `  ${name.padEnd(13)} ${address.padEnd(width)}   ${pid === null ? '' : `process ${pid}`}`,
  )
  return `\n${lines.map((line) => line.trimEnd()).join('\n')}\n`
}
