#!/usr/bin/env node
// The bin: installs what a fresh clone is missing, lets Node run TypeScript, begins tracing where it is wanted, and hands over to cli/main.ts.
import module from 'node:module'
import { join } from 'node:path'
import { ensureInstalled, root } from './install.mjs'

ensureInstalled()
// Node 22.1 and newer keep what they have compiled, and start faster the next time; where nothing can be written, that is all that is missing.
module.enableCompileCache?.(join(root, 'node_modules', '.cache', 'streamforge', 'compiled'))
await import('./typescript.mjs')
const { stopTracing } = await import('../observability/preload.ts')
const { main } = await import('./main.ts')
await main(process.argv.slice(2))
await stopTracing()
// The command is over, all it had to write is written. A client that still waits for a server that is away must not keep the process.
setTimeout(() => process.exit(), 3_000).unref()
