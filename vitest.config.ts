import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// unit: beside the code, no server, under a minute in all. system: real servers and processes, each test with ports and folders of its own.
export default defineConfig({
  test: {
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
          testTimeout: 120_000,
          hookTimeout: 120_000,
          isolate: false,
          // They wait for servers a good part of their time: with a file more than there are cores, both are busy.
          maxWorkers: Math.max(2, availableParallelism() + 1),
        },
      },
    ],
  },
})
