import {afterAll, beforeAll, expect, test} from 'vitest'
import {makeImage, makeTempDir, runMirror, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

let directory: TempDir
let registry: TestRegistry

beforeAll(async () => {
  directory = await makeTempDir()
  registry = await startRegistry()
})
afterAll(async () => {
  await registry.close()
  await directory.remove()
})

/** The amounts in a line, added up: blobs, and the words that it has for them. */
function blobsIn(line: string | undefined): number {
  return [...(line ?? '').matchAll(/ in (\d+) blobs?/g)].reduce((sum, [, number]) => sum + Number(number), 0)
}

test('the first and the last line of a push add up to the same images and blobs', async () => {
  const shared = await makeImage({seed: 'shared', layers: 2})
  const other = await makeImage({seed: 'other', layers: 1})
  const first = await writeOciBundle(directory.path, [named('gcr.io/team/one:v1', shared)])
  const target = argv`--private-registry ${registry.host}/sums --plain-http --progress plain`
  await runMirror(argv`push --source ${first} ${target}`)
  const second = await writeOciBundle(directory.path, [
    named('gcr.io/team/one:v1', shared),
    named('gcr.io/team/two:v1', shared),
    named('gcr.io/team/three:v1', other),
    named('gcr.io/team/four:v1', other),
  ])
  const {code, stderr} = await runMirror(argv`push --source ${second} ${target}`)
  const lines = stderr.trimEnd().split('\n')
  const plan = lines.find((line) => / images: at most /.test(line))
  const last = lines.at(-1)
  expect({code, plan, last}).toEqual({
    code: 0,
    plan: expect.stringMatching(
      /^4 images: at most .* to send in \d blobs, .* to mount in \d blobs, .* present in \d blobs$/,
    ) as string,
    last: expect.stringMatching(/^4 images: 3 pushed, 1 present, 0 failed; .* sent in \d blobs/) as string,
  })
  expect(blobsIn(last)).toBe(blobsIn(plan))
})

test('failures are told once: names while the run goes on, the cause with all names at its end', async () => {
  const images = await Promise.all(['a', 'b', 'c'].map((seed) => makeImage({seed, layers: 1})))
  const source = await writeOciBundle(
    directory.path,
    images.map((image, index) => named(`gcr.io/team/app${index}:v1`, image)),
  )
  await using refusing = await startRegistry({
    faults: [
      {
        match: {kind: 'manifest-put'},
        times: Infinity,
        fault: {type: 'status', status: 400, body: '{"errors":[{"code":"MANIFEST_INVALID"}]}'},
      },
    ],
  })
  const {code, stderr} = await runMirror(
    argv`push --source ${source} --private-registry ${refusing.host}/ns --plain-http --progress plain`,
  )
  expect(code).toBe(1)
  const lines = stderr.trimEnd().split('\n')
  expect(lines.filter((line) => line.startsWith('failed ')).toSorted()).toEqual(
    [0, 1, 2].map((index) => `failed ${refusing.host}/ns/team/app${index}:v1`),
  )
  expect(lines.filter((line) => line.startsWith('error: '))).toEqual([
    expect.stringMatching(/^error: target: 3 images: .*: .*app0:v1, .*app1:v1, .*app2:v1$/) as string,
  ])
  expect(lines.filter((line) => line.startsWith('hint: '))).toHaveLength(1)
})
