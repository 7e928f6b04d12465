#!/usr/bin/env node
// The bin: installs what a fresh clone is missing, lets Node run TypeScript, and hands over to cli/main.ts.
import { ensureInstalled } from './install.mjs'

ensureInstalled()
await import('./typescript.mjs')
const { main } = await import('./main.ts')
await main(process.argv.slice(2))
// The command is over, all it had to write is written. A client that still waits for a server that is away must not keep the process.
setTimeout(() => process.exit(), 3_000).unref()
