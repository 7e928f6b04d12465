/** The server of the runtime that this process is. The others' files are not loaded: each names what only its own runtime has. */
import type { Serve } from './serve.ts'

export async function serveHere(): Promise<Serve> {
  if ('Bun' in globalThis) return (await import('./bun.ts')).serve
  if ('Deno' in globalThis) return (await import('./deno.ts')).serve
  return (await import('./node.ts')).serve
}
