import {availableParallelism} from 'node:os'
import {defineConfig} from 'vitest/config'
import {LongestFirst} from './longest-first.js'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['fresh-bundle.ts'],
    setupFiles: ['no-leaked-listeners.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Test files of one worker share its modules: loading them anew for each file is half the time of a small one.
    isolate: false,
    // Tests run the program's own files, not what a transformer makes of them.
    server: {deps: {external: [/\/dist\/bundle\//]}},
    // Tests that a file marks as concurrent wait for timers and answers. A file can lower the number for itself, not raise it.
    maxConcurrency: 32,
    // Most tests wait for timers, sockets and other programs more than they compute.
    maxWorkers: availableParallelism() + 4,
    sequence: {sequencer: LongestFirst},
    // A race of processes is tried once more in CI. Vitest prints each such test, so that none stays unseen.
    retry: process.env['CI'] === undefined ? 0 : 1,
    // A test that takes this long hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: {poll: {timeout: 240_000}},
  },
})
