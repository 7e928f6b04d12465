/** Wrong arguments of every command: one sentence that says what is wrong and where to read on, and exit code 2. Nothing is started or touched. */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Command } from '../command.ts'
import { runCommand } from '../testing/run-command.ts'
import { dlq } from './dlq.ts'
import { doctor } from './doctor.ts'
import { erasures } from './erasures.ts'
import { importCommand } from './import.ts'
import { keys } from './keys.ts'
import { lake } from './lake.ts'
import { loginLink } from './login-link.ts'
import { migrate } from './migrate.ts'
import { replay } from './replay.ts'
import { schedules } from './schedules.ts'
import { schemas } from './schemas.ts'
import { simulate } from './simulate.ts'
import { sql } from './sql.ts'
import { status } from './status.ts'
import { token } from './token.ts'
import { up } from './up.ts'
import { users } from './users.ts'
import { warehouse } from './warehouse.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const MISTAKES: [command: Command, args: string, about: RegExp][] = [
  [up, 'here', /up takes options only, not "here"/],
  [up, '--fast', /--fast/],
  [up, '--port', /--port/],
  [up, '--port abc', /--port .*whole number from 0 to 65535, not "abc"/],
  [up, '--port 70000 --rate fast', /--port .*--rate /],
  [up, '--streams 3', /--streams goes with --cluster/],
  [up, '--cluster --streams 13', /--streams takes a whole number from 1 to 12, not "13"/],
  [up, '--no-simulate=maybe', /no-simulate/],
  [status, 'please', /status takes options only, not "please"/],
  [status, '--jsn', /--jsn/],
  [erasures, '', /erasures takes "request USER-ID", "ls" or "show ID"/],
  [erasures, 'request', /erasures takes/],
  [erasures, 'request ada --stdin', /erasures takes/],
  [erasures, 'show x --stdin', /erasures takes|no option --stdin/],
  [doctor, 'who', /doctor takes options only, not "who"/],
  [doctor, '--url ftp://shop.example', /--url takes an http or https URL, not "ftp:\/\/shop.example"/],
  [doctor, '--url here', /--url takes an http or https URL, not "here"/],
  [doctor, '--url http://shop.example', /needs its write key: give --write-key/],
  [doctor, '--url http://shop.example --write-key wk', /needs an access token to read: give --token/],
  [loginLink, 'now', /login-link takes options only, not "now"/],
  [loginLink, '--role god', /--role takes one of viewer, operator, admin, not "god"/],
  [loginLink, '--url here', /--url takes an http or https URL, not "here"/],
  [loginLink, '--url http://shop.example', /needs an access token: give --token .*"streamforge token --role admin"/],
  [keys, '', /keys takes "ls", "create NAME" or "revoke ID"/],
  [keys, 'create', /keys takes "ls"/],
  [keys, 'ls shop', /keys takes "ls"/],
  [keys, '__proto__ x', /keys takes "ls"/],
  [keys, 'revoke wk_1 --json', /keys revoke has no option --json/],
  [keys, 'create shop --events-per-minute 0', /--events-per-minute takes a whole number from 1 on, not "0"/],
  [keys, 'create shop --origin https://a.example --servers-only', /--origin or --servers-only, not both/],
  [users, '', /users takes "ls", "add NAME", .* or "remove NAME"/],
  [users, 'add', /users takes "ls"/],
  [users, 'ls ada', /users takes "ls"/],
  [users, 'constructor', /users takes "ls"/],
  [users, 'set-role ada god', /--role takes one of viewer, operator, admin, not "god"/],
  [users, 'remove ada --role admin', /users remove has no option --role/],
  [warehouse, '', /warehouse takes "publish" or "status"/],
  [warehouse, 'publish fact_events', /warehouse publish takes options only, not "fact_events"/],
  [token, 'please', /token takes options only, not "please"/],
  [token, '--role god', /--role takes one of viewer, operator, admin, not "god"/],
  [token, '--expires never', /--expires takes a span such as 30m, 8h or 7d, at most 365d, not "never"/],
  [token, '--expires 366d', /--expires takes a span/],
  [schemas, '', /takes "ls", or "show" and a subject/],
  [schemas, 'show', /takes "ls", or "show" and a subject/],
  [schemas, 'ls orders', /takes "ls", or "show" and a subject/],
  [schemas, 'ls --url registry:8081', /--url takes an http or https URL/],
  [dlq, '', /dlq takes "list", "show" and an id, or "replay"/],
  [dlq, 'purge', /dlq takes "list", "show" and an id, or "replay"/],
  [dlq, 'list orders', /dlq list takes options only, not "orders"/],
  [dlq, 'list --topic orders', /--topic takes one of clickstream\.events, .*, not "orders"/],
  [dlq, 'list --limit some', /--limit takes a whole number from 0/],
  [dlq, 'list --since yesterday', /--since takes ISO 8601, or e\.g\. 90m, 24h, 7d, not "yesterday"/],
  [dlq, 'list --dry-run', /dlq list has no option --dry-run/],
  [dlq, 'show', /dlq show takes one id/],
  [dlq, 'show dlq.transactions.orders:0', /An id is <topic>:<partition>:<offset>.*, not "dlq\.transactions\.orders:0"/],
  [dlq, 'show transactions.orders:0:7', /An id is .*, not "transactions\.orders:0:7"/],
  [dlq, 'replay', /dlq replay takes ids, or --topic and --reason, or --all/],
  [dlq, 'replay --all --reason bad_json', /dlq replay takes ids, or --topic and --reason, or --all/],
  [dlq, 'replay --all --limit 3', /dlq replay has no option --limit/],
  [sql, '', /sql takes a statement, "-" for standard input, or --file/],
  [sql, 'SELECT 1', /sql takes one statement: put quotes around it/],
  [sql, '- --file package.json', /sql takes a statement, "-" for standard input, or --file/],
  [sql, '--file missing.sql', /missing\.sql can't be read: ENOENT/],
  [sql, '- --engine spark', /--engine takes one of duckdb, trino, not "spark"/],
  [sql, '- --format xml', /--format takes one of table, json, csv, not "xml"/],
  [sql, '- --limit some', /--limit takes a whole number from 0/],
  [sql, '- --snapshot newest', /--snapshot takes a snapshot's id, a number, not "newest"/],
  [sql, '- --as-of yesterday', /--as-of takes ISO 8601, or e\.g\. 90m, 24h, 7d, not "yesterday"/],
  [sql, '- --as-of 7d --snapshot 7', /--snapshot and --as-of can not both be given/],
  [schedules, '', /schedules takes "ls", or "pause", .* or "backfill" and the id of a schedule/],
  [schedules, 'stop all', /schedules takes "ls", or "pause"/],
  [schedules, 'ls all', /schedules ls takes options only, not "all"/],
  [schedules, 'ls --reason x', /schedules ls has no option --reason/],
  [schedules, 'pause', /schedules pause takes one id, e\.g\. daily-aggregation/],
  [schedules, 'trigger compact-tables --input [1]', /--input takes a JSON object, .*, not \[1\]/],
  [schedules, 'trigger compact-tables --input {date}', /--input takes a JSON object, .*, not \{date\}/],
  [schedules, 'backfill daily-aggregation --from 2026-11-17', /schedules backfill takes --from and --to/],
  [lake, '', /lake takes "ls", "connect", or "describe", .* "expire" or "orphans" and a table/],
  [lake, 'drop raw.orders', /lake takes "ls", "connect", or/],
  [lake, 'ls raw', /lake ls takes options only, not "raw"/],
  [lake, 'ls --limit 3', /lake ls has no option --limit/],
  [lake, 'describe', /lake describe takes one table, e\.g\. raw\.orders/],
  [lake, 'files a b', /lake files takes one table/],
  [lake, 'files raw.orders --as-of 7d --snapshot 7', /--snapshot and --as-of can not both be given/],
  [lake, 'compact', /lake compact takes one table/],
  [lake, 'compact raw.orders --keep 3', /lake compact has no option --keep/],
  [lake, 'compact raw.orders --target-mb 0', /--target-mb/],
  [lake, 'expire raw.orders --older-than soon', /--older-than takes ISO 8601, or e\.g\. 90m/],
  [lake, 'orphans raw.orders --older-than 5m', /--older-than takes at least 1h/],
  [lake, 'files raw.orders --dry-run', /lake files has no option --dry-run/],
  [lake, 'snapshots raw.orders --columns a', /lake snapshots has no option --columns/],
  [migrate, 'down', /migrate takes options only, not "down"/],
  [migrate, '--down', /--down/],
  [simulate, 'file.csv', /simulate takes no file.*"file.csv"/],
  [simulate, '--rate 0', /--rate takes a whole number from 1/],
  [simulate, '--rate 50/s', /--rate takes a whole number.*"50\/s"/],
  [simulate, '--events many', /--events takes a whole number.*"many"/],
  [simulate, '--seed 1.5', /--seed takes a whole number/],
  [importCommand, '', /import needs a file/],
  [importCommand, 'package.json', /import needs --mapping: a preset \(rees46/],
  [importCommand, 'missing.csv --mapping rees46', /no file missing\.csv/],
  [importCommand, 'LICENSE --mapping rees46', /doesn't say whether it is CSV, JSON or NDJSON/],
  [replay, '', /replay needs a file/],
  [replay, 'one.csv two.csv --mapping rees46', /takes one file, not 2/],
  [replay, 'package.json', /needs --mapping: a preset \(rees46, online-retail, nyc-tlc\)/],
  [replay, 'missing.csv --mapping rees46', /no file missing\.csv/],
  [replay, 'tests --mapping rees46', /tests is not a file/],
  [replay, 'package.json --mapping nonsense', /nonsense is neither a preset .* nor a file/],
  [replay, 'package.json --mapping LICENSE', /LICENSE is not valid JSON/],
  [replay, 'package.json --mapping rees46 --speed 0', /--speed takes a number above 0 or "max", not "0"/],
]

describe('wrong arguments', () => {
  const named = MISTAKES.map(([command, args, about]) => [`${command.name} ${args}`, command, args, about] as const)
  it.each(named)('are told for: streamforge %s', async (_, command, args, about) => {
    const { code, out, err } = await runCommand(command, args.split(' ').filter(Boolean), { cwd: ROOT })
    expect(code, err).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(about)
    expect(err).toMatch(new RegExp(`^\\S.* See "streamforge ${command.name} --help"\\.\\n$`))
  })
})
