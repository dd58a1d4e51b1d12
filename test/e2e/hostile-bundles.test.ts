import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {describe, expect, test} from 'vitest'
import {withTempDir} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {faultsIn, push} from './push.js'
import {dockerCases} from '../hostile/cases-docker.js'
import {digestCases, graphCases, tower} from '../hostile/cases-graphs.js'
import {gzipCases} from '../hostile/cases-gzip.js'
import {jsonCases} from '../hostile/cases-json.js'
import {linkCases} from '../hostile/cases-links.js'
import {hostileNames, namedLayout} from '../hostile/cases-names.js'
import {nestingCases} from '../hostile/cases-nesting.js'
import {tarCases} from '../hostile/cases-tar.js'
import {xzCases} from '../hostile/cases-xz.js'
import {zstdCases} from '../hostile/cases-zstd.js'

const all = [
  tarCases,
  linkCases,
  gzipCases,
  xzCases,
  zstdCases,
  jsonCases,
  dockerCases,
  digestCases,
  graphCases,
  nestingCases,
].flat()

/** The maker of each archive, by its name. */
function made(name: string) {
  const found = all.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no archive is called ${name}`)
  return found.make
}

interface Ending {
  readonly name: string
  readonly make: () => Uint8Array | Promise<Uint8Array>
  readonly code: number
  /** Codes of the images' errors, or of the error that ended the run. */
  readonly error?: RegExp
  /** Repositories with their tags. */
  readonly tags?: Readonly<Record<string, readonly string[]>>
}

function ends(name: string, code: number, more: Omit<Ending, 'name' | 'code' | 'make'> = {}): Ending {
  return {
    name,
    make: made(name),
    code,
    ...more,
  }
}

const APP = {'library/app': ['v1']}

const endings: readonly Ending[] = [
  ends('a gzip bomb', 0, {tags: APP}),
  ends('a zstd bomb', 0, {tags: APP}),
  ends('an xz dictionary of 4 GiB', 2, {error: /dictionary/}),
  ends('a bomb in each of many archives', 2, {error: /unpacks to more/}),
  ends('a petabyte', 2, {error: /ends in the middle/}),
  ends('links in a circle', 2, {error: /circle/}),
  ends('a link that goes far', 2, {error: /too long a path/}),
  ends('a JSON bomb of objects', 2, {error: /values/}),
  ends('a sparse index of 10,000 levels', 2, {error: /levels deep/}),
  ends('index.json of 100 MB', 2, {error: /over the limit/}),
  ends('10,000 names for 10,000 layers', 2, {error: /manifests and blobs/}),
  ends('a layer of petabytes', 2, {error: /1125899906842624/}),
  ends('a manifest of 100,000 layers', 2, {error: /over the limit/}),
  ends('a manifest that is also an index', 2, {error: /at once/}),
  ends('two sizes for one layer', 2, {error: /two sizes/}),
  ends('two sizes for one manifest', 3, {error: /should have 7/, tags: {'library/a': ['v1']}}),
  ends('a layer that is not its digest', 1, {error: /has the digest/}),
  ends('a web of indexes', 0, {tags: APP}),
  ends('a layer that is a link to other content', 2, {error: /should have/}),
  {name: 'indexes of 20 levels', make: () => tower(20), code: 2, error: /indexes deep/},
]

// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const ESCAPES = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

describe('the program', () => {
  test.each(endings)('ends with $code for $name', async ({make, code, error = /^no error$/, tags = {}}) =>
    withTempDir(async (directory) => {
      await using registry = await startRegistry({strict: true})
      const source = join(directory, 'bundle')
      await writeFile(source, await make())

      const result = await push({
        source,
        registry,
        flags: ['--retries', '0'],
        env: {NODE_OPTIONS: '--max-old-space-size=384', TMPDIR: directory},
      })

      expect({code: result.code, stderr: result.stderr.slice(0, 3000)}).toMatchObject({code})
      const lines = result.stderr.split('\n').filter((line) => line !== '')
      const failures = lines.filter((line) => line.startsWith('error: '))
      expect(failures[0] ?? 'no error').toMatch(error)
      expect(lines.filter((line) => line.startsWith('hint: ')).length).toBe(failures.length)
      expect(result.stderr).not.toMatch(/\n {4}at |a bug in mirror/)
      expect(Math.max(...lines.map((line) => line.length), 0)).toBeLessThan(2100)
      const found = registry.repositories().map((name) => [name, registry.tags(name)] as const)
      expect(Object.fromEntries(found.filter(([, list]) => list.length > 0))).toEqual(tags)
      expect(faultsIn(registry)).toEqual([])
    }),
  )

  test('puts nothing under a name that is none, and shows it without what moves a cursor', () =>
    withTempDir(async (directory) => {
      await using registry = await startRegistry({strict: true})
      for (const [what, name] of hostileNames.filter((_, at) => at % 3 === 0)) {
        const source = join(directory, 'bundle')
        await writeFile(source, namedLayout(name))
        const {code, stderr, stdout} = await push({source, registry})
        expect({what, code, stderr}).toMatchObject({code: 2})
        expect(stderr).toMatch(/^error: source: /m)
        expect(stderr + stdout).not.toMatch(ESCAPES)
        expect(registry.repositories()).toEqual([])
      }
    }))

  test('takes a name from the user where the bundle has a hostile one', () =>
    withTempDir(async (directory) => {
      await using registry = await startRegistry({strict: true})
      const source = join(directory, 'bundle')
      await writeFile(source, gzipSync(namedLayout('gcr.io/../../admin/app:v1')))
      const {code} = await push({source, registry, namespace: 'safe'})
      expect(code).toBe(2)
      expect(registry.repositories()).toEqual([])
    }))
})
