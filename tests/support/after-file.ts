/**
 * Runs behind every file of system tests: whatever it started is ended. Named by vitest.config.ts, since files share a process and its modules: a hook that a module registers
 * when it is loaded would run behind the first file alone. Where a test fails, what its processes have said is shown: in a run of CI it is the only trace of why.
 */
import { afterAll, afterEach } from 'vitest'
import { cleanUp, toldByProcesses } from './processes.ts'

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${toldByProcesses()}\n`)
})
afterAll(cleanUp)
