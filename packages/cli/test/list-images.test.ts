import {parseReference} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import {listImages} from '#src/run/list-images.js'

async function warningsOf(
  include: readonly string[],
  exclude: readonly string[],
): Promise<readonly string[]> {
  const warnings: string[] = []
  const listed = ['gcr.io/team/app:v1', 'gcr.io/team/tool:v2'].map((name) => ({source: parseReference(name)}))
  const base = {name: 'nightly', images: [], references: [], repositories: [], targets: [], naming: {}}
  await listImages(
    {...base, listed, include, exclude},
    {source: {listTags: async () => []}, warn: (text) => warnings.push(text)},
  )
  return warnings
}

test('each pattern of a job that no image meets is a warning, and those that are met are none', async () => {
  expect(await warningsOf(['gcr.io/team/*'], [])).toEqual([])
  expect(await warningsOf(['gcr.io/team/*', '*/typo*'], ['gcr.io/nobody/*', 'gcr.io/team/tool*'])).toEqual([
    'include */typo* matches no image of the job "nightly"',
    'exclude gcr.io/nobody/* matches no image of the job "nightly"',
  ])
})
