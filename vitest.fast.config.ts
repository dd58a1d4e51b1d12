import {availableParallelism} from 'node:os'
import {defineConfig} from 'vitest/config'
import config from './vitest.config.js'

/** Tests of the packages that take longest, each for a reason: random inputs, great sizes, or clocks of other processes. */
const SLOW = [
  'packages/bundle/test/**/bytes-open.test.ts',
  'packages/bundle/test/**/bytes-property.test.ts',
  'packages/bundle/test/**/compress-*.test.ts',
  'packages/bundle/test/**/image-graphs.test.ts',
  'packages/bundle/test/**/oci-layout.test.ts',
  'packages/bundle/test/**/remembered-bundle.test.ts',
  'packages/bundle/test/**/save-bundle.test.ts',
  'packages/bundle/test/**/several-archives.test.ts',
  'packages/bundle/test/**/tar-unproven-config.test.ts',
  'packages/bundle/test/**/xz-encoder.test.ts',
  'packages/bundle/test/**/xz-stored-chunks.test.ts',
  'packages/bundle/test/**/zstd-decoder.test.ts',
  'packages/cli/test/cluster-emit-policy.test.ts',
  'packages/cli/test/known-layers.test.ts',
  'packages/cli/test/lock.test.ts',
  'packages/cli/test/prompt.test.ts',
  'packages/oci-client/test/http-tls-chains.test.ts',
  'packages/oci-client/test/registry-faults.test.ts',
  'packages/oci-client/test/source-debian.test.ts',
]

/** `npm run test:fast`: the tests of the packages, nearly all of them in one process, for a quick answer while working. */
export default defineConfig({
  test: {
    ...config.test,
    // Nearly all of these tests compute.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: ['packages/*/test/**/*.test.ts', 'test/architecture.test.ts'],
    exclude: [...(config.test?.exclude ?? []), ...SLOW],
  },
})
