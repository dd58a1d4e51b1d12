import {defineConfig} from 'vitest/config'
import config from './vitest.config.js'

/** Tests of the packages that take longest, each for a reason: random inputs, great sizes, or clocks of other processes. */
const SLOW = [
  'packages/bundle/test/**/xz-stored-chunks.test.ts',
  'packages/bundle/test/**/tar-unproven-config.test.ts',
  'packages/bundle/test/**/remembered-bundle.test.ts',
  'packages/bundle/test/**/bytes-property.test.ts',
  'packages/bundle/test/**/compress-*.test.ts',
  'packages/cli/test/lock.test.ts',
  'packages/oci-client/test/registry-faults.test.ts',
]

/** `npm run test:fast`: the tests of the packages, nearly all of them in one process, for a quick answer while working. */
export default defineConfig({
  test: {
    ...config.test,
    include: ['packages/*/test/**/*.test.ts', 'test/architecture.test.ts'],
    exclude: [...(config.test?.exclude ?? []), ...SLOW],
  },
})
