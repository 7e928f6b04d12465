import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/support/longest-first.ts'

const SHORT_LIVED = fileURLToPath(new URL('./tests/support/short-lived.cjs', import.meta.url))

// unit: beside the code, no server, under a minute in all. system: real servers and processes, each test with ports and folders of its own.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{edge,streams,db,observability,cli,workflows}/**/*.test.ts'],
          exclude: ['**/*.system.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
          // Files share what they import, half of the time otherwise: nothing here keeps state in a module.
          isolate: false,
          // By itself Vitest leaves one core free, which is half of two.
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: 'system',
          include: ['{edge,streams,db,observability,cli,workflows,tests}/**/*.system.test.ts', 'tests/**/*.test.ts'],
          // More than what a test waits for by itself: then it tells what did not come, instead of being cut off.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          globalSetup: 'tests/support/run-folder.ts',
          setupFiles: ['tests/support/after-file.ts'],
          // For the workers, and for what they start.
          execArgv: ['--require', SHORT_LIVED],
          env: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require=${JSON.stringify(SHORT_LIVED)}` },
          isolate: false,
          // They wait for servers a good part of their time: with a file more than there are cores, both are busy. One more costs a seventh more CPU time, and ends later.
          maxWorkers: Math.max(2, availableParallelism() + 1),
          // After the units, where both are run at once.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
