/** A JavaScript runtime for tests: fetched once per machine. One that can't be had is a visible skip that says why; under CI it is a failure. */
import { loadConfig } from '../../../db/config.ts'
import { type Runtime, type RuntimeCommand, runtimeCommand } from '../runtimes.ts'
import { onceOrSkip } from './once-or-skip.ts'

/** Call at the top of a test file (or a describe): it registers the hook. @returns how to run a script of ours on it, inside tests only */
export function withRuntime(runtime: Runtime): { readonly command: RuntimeCommand } {
  const { serversDir } = loadConfig(process.env)
  let command: RuntimeCommand | undefined
  onceOrSkip(async () => {
    command = await runtimeCommand(runtime, { serversDir })
  }, 300_000)
  return {
    get command() {
      return command!
    },
  }
}
