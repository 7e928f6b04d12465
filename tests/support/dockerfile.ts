/** A Dockerfile as its instructions, stage by stage: as much of the language as the project's own uses. What it does not know is an error, never passed over. */

export interface Instruction {
  /** In capitals: RUN, COPY. */
  name: string
  text: string
}

export interface Stage {
  name: string | null
  /** The image below it, with `ARG`s put in. */
  base: string
  instructions: Instruction[]
}

const KNOWN = new Set('RUN COPY WORKDIR ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD'.split(' '))

export function parseDockerfile(text: string): Stage[] {
  const args = new Map<string, string>()
  const stages: Stage[] = []
  const joined = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ')
  for (const line of joined.split('\n').filter((each) => each.trim() !== '')) {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? []
    if (name === 'ARG') {
      const [key = '', value = ''] = rest.split('=')
      args.set(key, value)
    } else if (name === 'FROM') {
      const [image = '', , as = null] = rest.split(/\s+/)
      stages.push({ name: as, base: image.replace(/\$\{(\w+)\}/g, (_, key) => args.get(key) ?? ''), instructions: [] })
    } else if (KNOWN.has(name)) stages.at(-1)!.instructions.push({ name, text: rest.trim() })
    else throw new Error(`The Dockerfile has an instruction that is not understood here: ${line}`)
  }
  return stages
}

/** The patterns of a .dockerignore, as a predicate on paths: a pattern holds for what is below it, too. */
export function parseDockerignore(text: string): (path: string) => boolean {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  if (lines.some((line) => line.startsWith('!'))) throw new Error('Exceptions are not understood here')
  const patterns = lines.map((line) => {
    const source = line
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'))
    return new RegExp(`^${source}(?:/|$)`)
  })
  return (path) => patterns.some((pattern) => pattern.test(path))
}
