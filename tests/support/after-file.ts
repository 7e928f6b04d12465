/**
 * Runs behind every file of system tests: whatever it started is ended. Named by vitest.config.ts, since files share a process and its modules: a hook that a module registers
 * when it is loaded would run behind the first file alone.
 */
import { afterAll } from 'vitest'
import { cleanUp } from './processes.ts'

afterAll(cleanUp)
