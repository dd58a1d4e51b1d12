import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {formatReference, type MirrorError} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {importConfig} from '#src/job/import/import-config.js'
import {translateRange} from '#src/job/import/translate-range.js'
import {wantedBy} from '#src/job/job-images.js'
import {printable} from '#src/text/printable.js'
import {parse} from './job-kit.js'

const golden = join(import.meta.dirname, '..', '..', '..', 'test', 'golden', 'config-import')
function example(name: string): string {
  return readFileSync(join(golden, name), 'utf8')
}

/** Every variable that the imported files name. */
const variables = {
  REGISTRY_EXAMPLE_COM_PASSWORD: 'p',
  HUB_USER: 'u',
  GHCR_IO_PASSWORD: 'p',
  DEBIAN_VERSION: '12',
  TARGET: 'reg.example',
}

describe.each(['skopeo', 'regsync'] as const)('a file of %s', (from) => {
  it('becomes a job file with comments on what has no counterpart', async () => {
    const {text, warnings} = await importConfig(example(`${from}.yaml`), {name: from, from: 'auto'})
    await expect(text).toMatchFileSnapshot(join(golden, `${from}.job.yaml`))
    await expect(`${warnings.join('\n')}\n`).toMatchFileSnapshot(join(golden, `${from}.warnings`))
    for (const warning of warnings) expect(text).toContain(warning)
    expect(text + warnings.join('')).not.toContain('hunter2')
  })

  it('becomes a job file that is read without a complaint', async () => {
    const {text} = await importConfig(example(`${from}.yaml`), {name: from, from})
    const {jobs} = await parse(text, variables)
    expect(jobs.length).toBeGreaterThan(0)
    for (const job of jobs) {
      const {images, listings} = wantedBy(job, [])
      expect(images.length + listings.length).toBeGreaterThan(0)
    }
  })
})

it('writes comments that hide nothing and are one line, whatever the file says', async () => {
  const hidden = 'a\u{E0041}\u202E\u3164\u001B[2J'
  const key = `${hidden}\ntargets: [{registry: evil.example}]`
  const file = JSON.stringify({'gcr.io': {images: {'a/b': ['1']}, [key]: 'x'}})
  const {text, warnings} = await importConfig(file, {name: 'f', from: 'skopeo'})
  expect(warnings.length).toBeGreaterThan(0)
  const comments = text.split('\n').filter((line) => /^\s*#/.test(line))
  expect(comments.join('')).toContain(String.raw`a\u{e0041}\u202e\u3164\x1b[2J`)
  expect(comments.map(printable)).toEqual(comments)
  expect(text).not.toMatch(/^targets:.*evil/m)
})

it('keeps tags that look like numbers as they are written', async () => {
  const {text} = await importConfig('gcr.io:\n  images:\n    a/b: [1.10, 010, yes]\n', {
    name: 'f',
    from: 'auto',
  })
  const {jobs} = await parse(text)
  const [job] = jobs
  if (job === undefined) throw new Error('a job is missing')
  expect(wantedBy(job, []).images.map(({source}) => formatReference(source))).toEqual([
    'gcr.io/a/b:1.10',
    'gcr.io/a/b:010',
    'gcr.io/a/b:yes',
  ])
})

it.each(['False', 'no', 'off', 'N', 'FALSE'])(
  'the boolean %s of YAML 1.1 is false, and not left out',
  async (no) => {
    const text = `version: 1\ncreds: [{registry: a.example, tls: disabled}]\nsync:\n  - {source: b.example/x, target: a.example/x, type: repository, referrers: ${no}}\n`
    const yes =
      ({False: 'True', no: 'yes', off: 'on', N: 'Y', FALSE: 'TRUE'} as Record<string, string>)[no] ?? ''
    const [without, with_] = await Promise.all(
      [text, text.replace(`referrers: ${no}`, `referrers: ${yes}`)].map(async (one) => {
        const {jobs} = await parse((await importConfig(one, {name: 'f', from: 'auto'})).text)
        return jobs[0]?.referrers
      }),
    )
    expect(with_).not.toBe(without)
  },
)

it.each(['no', 'False', 'off'])('tls-verify: %s of skopeo is taken as false', async (no) => {
  const {text} = await importConfig(`a.example: {tls-verify: ${no}, images: {x: [v1]}}\n`, {
    name: 'f',
    from: 'auto',
  })
  expect(text).toContain('insecure-skip-tls-verify: true')
})

it('a boolean that is none is refused with its place', async () => {
  await expect(
    importConfig('a.example: {tls-verify: maybe, images: {x: [v1]}}\n', {name: 'f', from: 'auto'}),
  ).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/tls-verify: has to be true or false/),
  })
})

it('~ says nothing, and platform: local refuses no file', async () => {
  const text =
    'version: 1\ndefaults: ~\nsync:\n  - {source: b.example/x, target: a.example/x, type: repository, tags: ~, platform: local}\n'
  const {text: job} = await importConfig(text, {name: 'f', from: 'auto'})
  expect(await parse(job)).toMatchObject({jobs: [expect.anything()]})
})

it('writes expressions so that they are not taken for variables', async () => {
  const regex = '^v${1}$$'
  const file = JSON.stringify({'gcr.io': {'images-by-tag-regex': {a: regex}}})
  const {jobs} = await parse((await importConfig(file, {name: 'f', from: 'auto'})).text)
  expect(jobs[0]?.repositories[0]?.tags).toEqual([{regex: [regex]}])
})

it.each<readonly [string, object | undefined]>([
  ['>= 3.12.0', {semver: '>=3.12.0'}],
  ['>=1.2, <2', {semver: '>=1.2 <2'}],
  ['=>1.2 || =<1', {semver: '>=1.2 || <=1'}],
  ['>=1.2, != 1.5.0', {semver: '>=1.2', exclude: ['1.5.0', 'v1.5.0']}],
  ['!=1.5.0', {semver: '*', exclude: ['1.5.0', 'v1.5.0']}],
  ['>=1.2-0', {semver: '>=1.2.0-0', prereleases: true}],
  ['!=1.5', undefined],
  ['1.x || !=1.5.0', undefined],
])('the range %s', (range, filter) => expect(translateRange(range)).toEqual(filter))

describe('what cannot be imported', () => {
  const refused = (text: string): Promise<MirrorError> =>
    importConfig(text, {name: 'sync.yaml', from: 'auto'}).then(
      () => expect.unreachable('it was taken'),
      (error: MirrorError) => error,
    )

  it.each([
    ['a: b', /neither a file of skopeo sync nor one of regsync/],
    ['', /neither/],
    ['a: [', /not valid YAML; line 1/],
    [
      'gcr.io:\n  images:\n    UPPER: [x]\n    b: ["not a tag"]\n    c: {}\n',
      /line 3: .*; line 4: .*; line 5: /,
    ],
    ['gcr.io: {images-by-tag-regex: {a: "(?=x)"}, images-by-semver: {b: often}}', /2 problems/],
    ['gcr.io: {images: {a: []}, credentials: hunter2}', /credentials: has to have keys/],
    ['sync: [{source: x/UPPER, target: a.example/x, type: image}]', /sync\[0\]\.source: /],
    ['sync: [{source: a, target: a.example/x, type: repository, tags: {allow: ["("]}}]', /allow\[0\]: /],
    ['version: 2\nsync: []', /line 1: version: is not 1/],
  ])('%s', async (text, told) => {
    const error = await refused(text)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(told)
    expect(error.message).not.toContain('hunter2')
  })
})
