/**
 * The edge on Deno: by its `node:http`, not by `Deno.serve`, which (2.9) lets a client that sends half a head, or a byte now and then, keep its connection for ever, takes heads of
 * 400 KB, and says nothing of connections that could be closed. Deno's `node:http` has all the bounds of Node's.
 */
export { serve } from './node.ts'
