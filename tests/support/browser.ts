/**
 * A real Chromium for tests: the one on the PATH, else of its Debian package, driven by playwright-core, started once per test file. Every profile is closed after its test and the browser
 * after the last, so nothing is left. Without a Chromium the tests are a visible skip that says what is missing; under CI it is a failure.
 */
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from 'playwright-core'
import { afterAll, afterEach } from 'vitest'
import { haveProgram } from '../../cli/servers/debian.ts'
import { onceOrSkip } from '../../cli/servers/testing/once-or-skip.ts'

/** Storage, cookies and cache of its own; its tabs share them. */
export interface TestProfile {
  readonly context: BrowserContext
  /** What went wrong in any of its tabs so far, a line each: console errors, uncaught errors, requests without an answer. */
  readonly problems: readonly string[]
}

export interface TestBrowser {
  /** Closed after the test that asked for it. */
  profile(options?: BrowserContextOptions): Promise<TestProfile>
}

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'] as const
/** A busy machine takes its time for a browser's first start. */
const START_TIMEOUT_MS = 120_000
/** Of its Debian package, once on a machine. */
const INSTALL_TIMEOUT_MS = 600_000
const ACTION_TIMEOUT_MS = 30_000
/** The page called the request off itself, mostly by leaving. */
const CALLED_OFF = 'net::ERR_ABORTED'

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withBrowser(): TestBrowser {
  let browser: Browser | undefined
  const open = new Set<BrowserContext>()

  onceOrSkip(async () => {
    browser = await chromium.launch({
      executablePath: await findChromium(),
      // Root has no sandbox to go into; everybody else keeps it.
      chromiumSandbox: process.getuid?.() !== 0,
      timeout: START_TIMEOUT_MS,
    })
  }, START_TIMEOUT_MS + INSTALL_TIMEOUT_MS)

  afterEach(async () => {
    await Promise.all([...open].map((context) => context.close()))
    open.clear()
  })
  afterAll(() => browser?.close())

  return {
    async profile(options = {}) {
      const context = await browser!.newContext(options)
      open.add(context)
      context.setDefaultTimeout(ACTION_TIMEOUT_MS)
      return { context, problems: problemsOf(context) }
    },
  }
}

function problemsOf(context: BrowserContext): string[] {
  const problems: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()} (${message.location().url})`)
  })
  context.on('weberror', (error) => void problems.push(`uncaught: ${String(error.error())}`))
  context.on('requestfailed', (request) => {
    const why = request.failure()?.errorText
    if (why !== CALLED_OFF) problems.push(`request: ${request.method()} ${request.url()}: ${why}`)
  })
  return problems
}

/** @throws ServerUnavailable naming what is missing */
async function findChromium(): Promise<string> {
  const there = await onPath()
  if (there !== null) return there
  const [program] = PROGRAMS
  await haveProgram({
    program,
    package: 'chromium',
    remedy: `There is no Chromium on the PATH (looked for ${PROGRAMS.join(', ')}). On Debian and Ubuntu: apt-get install chromium.`,
  })
  return (await onPath()) ?? program
}

async function onPath(): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const program of PROGRAMS) {
      const path = join(folder, program)
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (folder !== '' && isThere) return path
    }
  }
  return null
}
