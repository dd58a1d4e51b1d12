import {availableParallelism} from 'node:os'
import {defineConfig} from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['fresh-bundle.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // most of the time is spent in child processes, and waiting
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // a test that takes this long hangs: no slower machine is expected
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: {poll: {timeout: 240_000}},
  },
})
