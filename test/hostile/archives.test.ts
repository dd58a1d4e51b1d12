import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {makeTempDir, type TempDir} from '@airgap-mirror/test/kit'
import {dockerCases} from './cases-docker.js'
import {digestCases, graphCases} from './cases-graphs.js'
import {gzipCases} from './cases-gzip.js'
import {jsonCases} from './cases-json.js'
import {linkCases} from './cases-links.js'
import {nameCases} from './cases-names.js'
import {nestingCases} from './cases-nesting.js'
import {tarCases} from './cases-tar.js'
import {xzCases} from './cases-xz.js'
import {zstdCases} from './cases-zstd.js'
import type {HostileCase} from './hostile-case.js'
import {startReader, type Reader} from './reader.js'

const MiB = 2 ** 20

let temp: TempDir
let reader: Reader
beforeAll(async () => {
  temp = await makeTempDir()
  reader = startReader()
})
afterAll(async () => {
  await reader[Symbol.asyncDispose]()
  await temp.remove()
})

describe.each<[string, readonly HostileCase[]]>([
  ['tar headers', tarCases],
  ['links and duplicates', linkCases],
  ['gzip', gzipCases],
  ['xz', xzCases],
  ['zstd', zstdCases],
  ['json', jsonCases],
  ['docker-archives', dockerCases],
  ['digests', digestCases],
  ['graphs', graphCases],
  ['nesting', nestingCases],
  ['names', nameCases],
])('%s', (_group, cases) => {
  test.each(cases)('$name ($made): $expected', async ({make, expected}) => {
    const path = join(temp.path, 'bundle')
    await writeFile(path, await make())
    const {outcome, message, growth} = await reader.read(path)
    const isExpected = typeof expected === 'string' ? outcome === expected : expected.test(outcome)
    expect({isExpected, outcome: outcome.slice(0, 500), message}).toMatchObject({isExpected: true})
    expect(message.length).toBeLessThan(4000)
    expect(growth / MiB).toBeLessThan(256)
  })
})
