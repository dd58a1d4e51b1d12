import {createHash} from 'node:crypto'
import {differenceOf} from '#src/commands/inspect/difference.js'
import {html} from '#src/commands/inspect/markup.js'
import {formatPage} from '#src/commands/inspect/page.js'
import {dockerArchive, makeImage, ociLayout, tarBytes} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectEntries, named} from './inspect-kit.js'

const madeAt = new Date('2026-11-30T00:10:42Z')

test('the page has every image, digest, signature and SBOM, the changes, and when and by which version it was made', async () => {
  const app = await makeImage({seed: 'page-app', platforms: ['linux/amd64', 'linux/arm64']})
  const old = await makeImage({seed: 'page-old'})
  const sbom = await makeImage({
    seed: 'page-sbom',
    layers: 1,
    subject: app.root.descriptor,
    artifactType: 'application/spdx+json',
  })
  const newer = await inspectEntries(ociLayout([named('quay.io/a/app:v2', app), {image: sbom}]))
  const older = {inspection: await inspectEntries(ociLayout([named('quay.io/a/app:v2', old)]))}
  const page = formatPage({...newer, diff: differenceOf('old.tar', {older, newer})}, {madeAt})
  const digests = [app, sbom].flatMap((image) => image.manifests.map(({descriptor}) => descriptor.digest))
  const blobs = app.blobs.map(({descriptor}) => descriptor.digest)
  expect(
    [...digests, ...blobs, old.root.descriptor.digest].filter((digest) => !page.includes(digest)),
  ).toEqual([])
  const text = page
    .replaceAll(/<style>.*<\/style>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
  expect(text).toContain('quay.io/a/app:v2')
  expect(text).toContain('Inspected on 2026-11-30 00:10 UTC with mirror ')
  expect(text).toContain('Compared with old.tar : 0 images added, 1 changed, 0 removed, 0 the same.')
  expect(text).toContain('application/spdx+json')
})

test('the policy of the page allows its own style, by its hash, and nothing else', async () => {
  const image = await makeImage({seed: 'page-policy'})
  const page = formatPage(await inspectEntries(ociLayout([named('quay.io/a/b:v1', image)])), {madeAt})
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  const [, policy = ''] = /Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? []
  expect(policy.replaceAll('&#39;', "'")).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`,
  )
  expect(page).not.toMatch(/<script|<link rel="stylesheet|@import|url\(|\sstyle=|\son[a-z]+=/)
})

test('text is escaped for content and attributes, and characters that hide or turn text are shown', () => {
  const text = `<b a="1" c='2'>&\u202e\u0000`
  expect(html`<p title="${text}">${text}</p>`.text).toBe(
    '<p title="TEXT">TEXT</p>'.replaceAll(
      'TEXT',
      String.raw`&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u202e\x00`,
    ),
  )
})

test('the page of an archive of archives lists its outermost files, without directories', async () => {
  const image = await makeImage({seed: 'page-nested', layers: 1})
  const inner = await tarBytes(ociLayout([named('quay.io/a/b:v1', image)]))
  const entries = [
    {path: 'release', directory: true as const},
    {path: 'release/app.tar', bytes: inner},
  ]
  const page = formatPage(await inspectEntries(entries), {madeAt})
  const [, table = ''] = /Outermost entries \(2\)<\/h3>(.*?)<\/table>/s.exec(page) ?? []
  expect(table.match(/release[^<]*/g)).toEqual(['release/app.tar'])
})

test('a docker-archive has the ID of its image, the part that is uncompressed, and why its digest changes', async () => {
  const image = await makeImage({seed: 'page-docker'})
  const page = formatPage(await inspectEntries(dockerArchive([{image, tags: ['a/b:v1']}])), {madeAt})
  expect(page).toContain(image.platforms[0]?.config.descriptor.digest)
  expect(page).toContain('Plain is the part')
  expect(page).toContain('does not hold the manifest')
})
