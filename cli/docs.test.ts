/** What the documentation tells people to type is there: commands and their options, scripts, targets, settings, benchmarks; and what it links to. */
import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { VARIABLES } from '../db/config.ts'
import { COMMANDS } from './main.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** OpenTelemetry's own, which its SDK reads, and `observability/preload-settings.ts`. */
const OTEL = new Set([
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_SDK_DISABLED',
  'OTEL_BSP_SCHEDULE_DELAY',
])
const SETTING =
  /\b(?:STREAMFORGE|KAFKA|TEMPORAL|AWS|S3|OTEL|TRINO|SCHEMA_REGISTRY|DATABASE|REDIS|CDC|WAREHOUSE|BIGQUERY|XDG)_[A-Z][A-Z_]*[A-Z]\b/g

interface Page {
  path: string
  text: string
  /** Lines of code: fenced ones, and what stands between backticks. Comments of the shell are left out. */
  code: string[]
}

let pages: Page[] = []
const usages = new Map<string, string>()
let scripts: Record<string, string> = {}
/** Null: there is no Makefile. */
let targets: Set<string> | null = null
let settings = new Set<string>()

const textOf = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')

beforeAll(async () => {
  const below = async (folder: string): Promise<string[]> =>
    (await readdir(join(ROOT, folder), { recursive: true }))
      .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
      .map((path) => `${folder}/${path}`)
  const paths = ['README.md', 'CONTRIBUTING.md', 'edge/README.md', ...(await below('docs')), ...(await below('deploy'))]
  pages = await Promise.all(
    paths.map(async (path) => {
      const text = await textOf(path)
      return { path, text, code: codeOf(text) }
    }),
  )
  for (const [name, { load }] of Object.entries(COMMANDS)) usages.set(name, (await load()).usage)
  scripts = (JSON.parse(await textOf('package.json')) as { scripts: Record<string, string> }).scripts
  const makefile = await textOf('Makefile').catch(() => null)
  targets = makefile === null ? null : new Set([...makefile.matchAll(/^([a-z][\w-]*):/gm)].map(([, name = '']) => name))
  const compose = await textOf('.env.example').catch(() => '')
  settings = new Set([...VARIABLES, ...OTEL, ...(compose.match(/^[A-Z_0-9]+(?==)/gm) ?? [])])
}, 60_000)

function codeOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'))
  const inline = [...text.replace(/^```\w*\n[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
  return [...fenced.map((line) => line.replace(/(^|\s)#.*$/, '')), ...inline]
}

/** Of a line: each call of a program, without what stands in quotes. */
const calls = (line: string, program: RegExp): string[][] =>
  line
    .replace(/"[^"]*"|'[^']*'/g, '""')
    .split(/&&|\|\||[;|(){}<>]|2>&1/)
    .flatMap((part) => {
      const [, rest] = program.exec(part.trim()) ?? []
      return rest === undefined ? [] : [rest.trim().split(/\s+/)]
    })

/** What is wrong with a call, by the command's own usage. */
function wrongIn(name: string, args: readonly string[]): string[] {
  const usage = usages.get(name)
  if (usage === undefined) return [`there is no command "${name}"`]
  const subcommands = [...usage.matchAll(new RegExp(`^streamforge ${name} ([a-z][a-z-]*)\\b`, 'gm'))].map(
    ([, sub]) => sub,
  )
  const wrong = args
    .map((arg) => /^\[?(--[a-z][a-z-]*)/.exec(arg)?.[1])
    .filter((option) => option !== undefined && !usage.includes(option))
    .map((option) => `${name} has no option ${option}`)
  const [first = ''] = args
  if (subcommands.length > 0 && /^[a-z]/.test(first) && !subcommands.includes(first))
    wrong.push(`${name} has no "${first}"`)
  return wrong
}

const found = (look: (line: string) => string[]): string[] =>
  pages.flatMap(({ path, code }) =>
    code.flatMap((line) => look(line).map((what) => `${path}: ${what} (${line.trim()})`)),
  )

describe('what the documentation tells people to type', () => {
  it('is a command, with options that it has', () => {
    const program = /^(?:(?:export )?[A-Z_]+=\S* )*(?:npx )?streamforge ((?!<)[a-z-].*)$/
    expect(found((line) => calls(line, program).flatMap(([name = '', ...args]) => wrongIn(name, args)))).toEqual([])
    // So that a change of how pages are written does not make this look at nothing.
    const seen = new Set(
      pages.flatMap(({ code }) => code.flatMap((line) => calls(line, program).map(([name]) => name))),
    )
    expect(seen.size).toBeGreaterThan(15)
  })

  it('is a script, a target of make, or a benchmark', async () => {
    expect(found((line) => calls(line, /^npm start -- (.*)$/).flatMap((args) => wrongIn('up', args)))).toEqual([])
    const noScript = ([name = '']: string[]): string[] => (Object.hasOwn(scripts, name) ? [] : [`no script "${name}"`])
    expect(found((line) => calls(line, /^npm run ([\w:]+)/).flatMap(noScript))).toEqual([])
    const noTarget = ([name = '']: string[]): string[] => (targets?.has(name) ? [] : [`make has no "${name}"`])
    expect(found((line) => calls(line, /^make ([a-z][\w-]*)/).flatMap(noTarget))).toEqual([])
    const benchmarks = pages.flatMap(({ code }) =>
      code.flatMap((line) => calls(line, /^npm run bench -- ([a-z][\w/-]*)/)),
    )
    for (const [name = ''] of benchmarks) await access(join(ROOT, 'bench', `${name}.ts`))
  })

  it('is a setting', () => {
    expect(found((line) => (line.match(SETTING) ?? []).filter((name) => !settings.has(name)))).toEqual([])
  })

  it('is all there is to set', () => {
    const { text } = pages.find(({ path }) => path === 'docs/settings.md')!
    // Of whoever runs the tests.
    expect(VARIABLES.filter((name) => !text.includes(`\`${name}\``))).toEqual(['CI'])
  })

  it('can be followed where it is a link', async () => {
    const broken: string[] = []
    for (const { path, text } of pages) {
      for (const [, target = ''] of text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const [file = '', anchor] = target.split('#')
        const at = file === '' ? path : join(dirname(path), file)
        const linked = await textOf(at).catch((error: NodeJS.ErrnoException) => (error.code === 'EISDIR' ? '' : null))
        if (linked === null) broken.push(`${path}: there is no ${target}`)
        else if (anchor !== undefined && !anchorsOf(linked).has(anchor))
          broken.push(`${path}: there is no heading ${target}`)
      }
    }
    expect(broken).toEqual([])
  })
})

/** As forges make them of headings. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  )
