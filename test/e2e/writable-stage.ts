import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  seededBytes,
  startMirrorServer,
  withTempDir,
  type MirrorServer,
  type RawAnswer,
  type RawClient,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {expect} from 'vitest'

export const content = seededBytes('writable', 200_000)
export const digest = digestOf(content)

export interface Stage {
  readonly at: (...names: string[]) => string
  readonly serve: (...args: readonly string[]) => Promise<MirrorServer>
}

/** A directory, and servers that keep pushes in `pushed` below it. */
export function onStage(work: (stage: Stage) => Promise<void>): () => Promise<void> {
  return () =>
    withTempDir((directory) => {
      const at = (...names: string[]): string => join(directory, ...names)
      const state = ['--state', at('state')]
      return work({
        at,
        serve: (...args) => startMirrorServer(['--writable', at('pushed'), ...state, ...args]),
      })
    })
}

export function bundleEntry(image: TestImage, name: string) {
  return {image, annotations: {'io.containerd.image.name': name}}
}

export async function putImage(
  client: RawClient,
  image: TestImage,
  {repository, tag}: Record<'repository' | 'tag', string>,
) {
  for (const {bytes, descriptor} of image.blobs) {
    const path = `/v2/${repository}/blobs/uploads/?digest=${descriptor.digest}`
    expect((await client.send('POST', path, {body: bytes})).status).toBe(201)
  }
  for (const manifest of image.manifests) await putManifest(client, manifest, {repository})
  return putManifest(client, image.root, {repository, reference: tag})
}

export function putManifest(
  client: RawClient,
  {bytes, descriptor}: TestImage['root'],
  {repository, reference = descriptor.digest}: {readonly repository: string; readonly reference?: string},
): Promise<RawAnswer> {
  const headers = {'content-type': descriptor.mediaType}
  return client.send('PUT', `/v2/${repository}/manifests/${reference}`, {body: bytes, headers})
}

export async function digestAt(
  client: RawClient,
  repository: string,
  reference: string,
): Promise<string | undefined> {
  const answer = await client.send('HEAD', `/v2/${repository}/manifests/${reference}`)
  return answer.headers['docker-content-digest']
}

export function codeOf(answer: RawAnswer): unknown {
  return [answer.status, (answer.json() as {errors: {code: string}[]}).errors[0]?.code]
}

export async function temporaries(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.tmp'))
}
