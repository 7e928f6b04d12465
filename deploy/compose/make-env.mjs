// Makes .env of .env.example: every secret that the example leaves open is random. What is there already is never touched, since volumes were made with its passwords; what a newer version asks for besides is added.
import { randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const example = fileURLToPath(new URL('../../.env.example', import.meta.url))
const target = process.argv[2] ?? fileURLToPath(new URL('../../.env', import.meta.url))

/** In letters, digits, - and _: they stand in URLs and in configuration files as they are. */
const secret = (name) => {
  // A UUID in base64, as Kafka wants it, which must not begin with a dash: it would pass for an option.
  if (name === 'KAFKA_CLUSTER_ID') return `A${randomBytes(16).toString('base64url').slice(1)}`
  // MinIO takes 20 characters.
  if (name === 'S3_ACCESS_KEY_ID') return `SF${randomBytes(9).toString('hex').toUpperCase()}`
  return randomBytes(32).toString('base64url')
}

const [secrets, rest] = readFileSync(example, 'utf8').split(/^(?=# ---- may be left)/m)
const filled = secrets.replace(/^(\w+)=$/gm, (_, name) => `${name}=${secret(name)}`) + rest
try {
  writeFileSync(target, filled, { flag: 'wx', mode: 0o600 })
  console.log(`${target} was made. Its passwords belong to the volumes that are made with it: keep them together.`)
} catch (error) {
  if (error.code !== 'EEXIST') throw error
  const nameOf = (line) => /^(\w+)=/.exec(line)?.[1]
  const there = new Set(readFileSync(target, 'utf8').split('\n').map(nameOf))
  const added = filled.split('\n').filter((line) => nameOf(line) && !there.has(nameOf(line)))
  if (added.length > 0)
    appendFileSync(target, `\n# ---- added for a newer version: see .env.example ----\n${added.join('\n')}\n`)
  const news = added.length > 0 ? `; added: ${added.map(nameOf).join(', ')}` : ''
  console.log(`${target} is there already and stays as it is${news}.`)
}
