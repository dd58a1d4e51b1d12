import {formatTable} from '#src/commands/inspect/table.js'
import {formatTree} from '#src/commands/inspect/tree.js'
import {foldName, foldText} from '#src/commands/inspect/fold-text.js'
import {dockerArchive, makeImage, makeLayers, ociLayout, tarBytes} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectEntries, named} from './inspect-kit.js'

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length))
}

test('the table has a row for each image, and the sums above', async () => {
  const app = await makeImage({seed: 'table-app', platforms: ['linux/amd64', 'linux/arm64']})
  const tool = await makeImage({seed: 'table-tool'})
  const inspection = await inspectEntries(
    ociLayout([named('quay.io/a/app:v1', app), named('quay.io/a/tool:v1', tool)]),
  )
  const lines = formatTable(inspection, {width: 80}).split('\n')
  expect(lines[0]).toBe('bundle.tar: OCI image layout, written by mirror')
  expect(lines[1]).toMatch(/^[\d.]+ kB, not compressed$/)
  expect(lines[2]).toMatch(/^2 images, 4 manifests, 9 blobs, [\d.]+ kB of content$/)
  expect(lines[3]).toBe('platforms: linux/amd64, linux/arm64')
  expect(lines[5]).toMatch(/^ +SIZE +OWN +SHARED {2}PLATFORMS {2}SIGNED {2}IMAGE$/)
  expect(lines[6]).toMatch(/ 2 {10}no {6}quay\.io\/a\/app:v1$/)
  expect(lines[7]).toMatch(/ amd64 {6}no {6}quay\.io\/a\/tool:v1$/)
  expect(lines).toContain('warning: none of the 2 images has a signature')
})

test('the table fits 80 columns and loses no part of a long name', async () => {
  const image = await makeImage({seed: 'table-long', platforms: ['linux/amd64', 'windows/amd64']})
  const long = `registry.example.com:5000/${'a-long-namespace/'.repeat(6)}image-with-a-long-name:v1.2.3-build20260101`
  const inner = await tarBytes(dockerArchive([{image, tags: ['team/app:v1']}]))
  const inspection = await inspectEntries([
    {path: 'inner.tar', bytes: inner},
    {path: `layouts/${'d'.repeat(120)}.tar`, bytes: await tarBytes(ociLayout([named(long, image)]))},
    {path: 'README', bytes: Buffer.from('text')},
  ])
  const text = formatTable(inspection, {width: 80})
  expect(widest(text)).toBeLessThanOrEqual(80)
  expect(text.replaceAll(/\s+/g, '')).toContain(long)
})

test('text of a bundle reaches a terminal with its control characters escaped', async () => {
  const image = await makeImage({seed: 'table-hostile', platforms: ['\u001b[2J/amd64', 'linux/arm64']})
  const inspection = await inspectEntries([
    ...ociLayout([
      {image, annotations: {'org.opencontainers.image.ref.name': 'evil\u001b]0;x\u0007\u202e/x y'}},
    ]),
    {path: 'notes\u001b[31m', bytes: Buffer.from('text')},
  ])
  const text = formatTable(inspection, {width: 80})
  expect(text).not.toMatch(/[^\n\x20-\x7e…]/)
  expect(text).toContain(String.raw`\x1b`)
})

test('a name is broken behind a slash or before its tag, and where neither is near, at the width', () => {
  expect(foldName('docker.io/rancher/pause:3.6', 20)).toEqual(['docker.io/rancher/', 'pause:3.6'])
  expect(foldName('docker.io/pause:3.6', 15)).toEqual(['docker.io/pause', ':3.6'])
  expect(foldName(`quay.io/a@sha256:${'0'.repeat(8)}`, 18)).toEqual(['quay.io/a', '@sha256:00000000'])
  expect(foldName('x'.repeat(25), 10)).toEqual(['x'.repeat(10), 'x'.repeat(10), 'x'.repeat(5)])
})

test('text is broken between words, and goes on indented', () => {
  expect(foldText('warning: one two three', {width: 14, indent: 2})).toEqual(['warning: one', '  two three'])
})

test('the tree has every platform, layer and referrer with its digest', async () => {
  const base = await makeLayers({seed: 'tree-base', layers: 1})
  const app = await makeImage({seed: 'tree-app', platforms: ['linux/amd64', 'linux/arm64'], layers: 1})
  const one = await makeImage({seed: 'tree-one', layers: 0, base})
  const two = await makeImage({seed: 'tree-two', layers: 1, base})
  const sbom = await makeImage({
    seed: 'tree-sbom',
    layers: 1,
    subject: app.root.descriptor,
    artifactType: 'application/spdx+json',
  })
  const [amd64, arm64] = app.platforms
  const short = (digest = ''): string => digest.slice(0, 'sha256:'.length + 12)
  const inspection = await inspectEntries(
    ociLayout([
      named('quay.io/a/app:v1', app, (platform) => platform === amd64),
      named('quay.io/a/one:v1', one),
      named('quay.io/a/two:v1', two),
      {image: sbom},
    ]),
  )
  const lines = formatTree(inspection, {width: 80})
    .replaceAll(/[\d.]+ k?B/g, 'SIZE')
    .split('\n')
  const start = lines.findIndex((line) => line.startsWith('quay.io/a/app:v1'))
  expect(lines.slice(start, start + 6)).toEqual([
    `quay.io/a/app:v1  index  ${short(app.root.descriptor.digest)}  SIZE (own SIZE, shared SIZE)`,
    `├─ linux/amd64  ${short(amd64?.manifest.descriptor.digest)}`,
    `│  ├─ config  ${short(amd64?.config.descriptor.digest)}  SIZE`,
    `│  └─ layer  ${short(amd64?.layers[0]?.descriptor.digest)}  SIZE`,
    `├─ linux/arm64  ${short(arm64?.manifest.descriptor.digest)}  not in the bundle`,
    `└─ SBOM  ${short(sbom.root.descriptor.digest)}  SIZE  application/spdx+json`,
  ])
  expect(lines).toContain(`└─ layer  ${short(base[0]?.descriptor.digest)}  SIZE  in 2 images`)
})
