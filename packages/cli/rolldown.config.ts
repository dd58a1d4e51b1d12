import {fileURLToPath} from 'node:url'
import type {BuildOptions} from 'rolldown'
import {removeStale} from './remove-stale.js'
import {startChunk} from './start-chunk.js'
import {thirdPartyNotices} from './third-party-notices.js'

function built(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}

const start = startChunk(built('cli/dist/main.js'))

/**
 * The program as few files, from what the compiler built. Workers are entries, because the chunk that starts one finds it
 * by path. Native modules stay packages; oclif looks for TypeScript in checkouts of other programs alone.
 */
export default {
  input: {
    main: built('cli/dist/main.js'),
    'block-worker': built('bundle/dist/compress/block-worker.js'),
    'decode-worker': built('bundle/dist/codecs/threads/decode-worker.js'),
  },
  platform: 'node',
  preserveEntrySignatures: 'allow-extension',
  external: ['lzma-native', 'node-liblzma', 'typescript'],
  plugins: [start.plugin, thirdPartyNotices(), removeStale()],
  output: {
    dir: built('cli/dist/bundle'),
    comments: {legal: true, jsdoc: false},
    sourcemap: true,
    codeSplitting: {includeDependenciesRecursively: false, groups: [start.group]},
  },
} satisfies BuildOptions
