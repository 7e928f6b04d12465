// The image's health check: asks the role of this container how it is. Plain JavaScript without a dependency, since it runs every few seconds in each container, and the image has no curl.
// An edge answers on its own port, every other role on that of its metrics; which of them this container runs is seen by which one listens. A role that says it is stuck (503) is ill.
const { STREAMFORGE_PORT: port = '8080', STREAMFORGE_METRICS_PORT: metricsPort = '9464' } = process.env
const TIMEOUT_MS = 4_000

const ask = async (url) => {
  const { status } = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (status !== 200) throw new Error(`${url} answers ${status}`)
}

const pages = process.argv.slice(2)
if (pages.length === 0) pages.push(`http://127.0.0.1:${port}/api/v1/health`, `http://127.0.0.1:${metricsPort}/health`)
try {
  await Promise.any(pages.map(ask))
} catch (error) {
  const reasons = error.errors.map(({ message, cause }) => cause?.message ?? message)
  console.error(reasons.join('; '))
  process.exitCode = 1
}
