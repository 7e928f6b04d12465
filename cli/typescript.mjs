// Lets Node run the project's TypeScript as it is. Node 22.18 and newer strip types by themselves; on older ones amaro, the very stripper
// that Node ships, is hooked in. Loaded by the bin, and by `--import` in every worker thread (see observability/threads.ts).
import { register } from 'node:module'

if (!process.features.typescript) register('./typescript-hooks.mjs', import.meta.url)
