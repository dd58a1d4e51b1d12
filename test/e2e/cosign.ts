import {createSign, createVerify, generateKeyPairSync, type KeyObject} from 'node:crypto'
import {digestOf, hexOf, mediaTypes, type Descriptor, type Digest} from '@airgap-mirror/oci-client/model'
import {makeManifest, type TestImage} from '@airgap-mirror/test/kit'
import type {TestRegistry} from '@airgap-mirror/test/registry'

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json'
const SIGNATURE = 'dev.cosignproject.cosign/signature'

export function cosignKeys(): {readonly publicKey: KeyObject; readonly privateKey: KeyObject} {
  return generateKeyPairSync('ec', {namedCurve: 'P-256'})
}

/** Returns the image that `cosign sign --key` makes: its layer is the signed text, an annotation is the signature. */
export function cosignSignature(
  subject: Digest,
  {name, privateKey}: {readonly name: string; readonly privateKey: KeyObject},
): TestImage {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: {'docker-reference': name},
        image: {'docker-manifest-digest': subject},
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  )
  const layer = {mediaType: SIMPLE_SIGNING, digest: digestOf(payload), size: payload.length}
  const configBytes = Buffer.from(
    JSON.stringify({
      architecture: '',
      created: '0001-01-01T00:00:00Z',
      config: {},
      os: '',
      rootfs: {type: 'layers', diff_ids: [layer.digest]},
    }),
  )
  const config: Descriptor = {
    mediaType: mediaTypes.ociConfig,
    digest: digestOf(configBytes),
    size: configBytes.length,
  }
  const signature = createSign('sha256').update(payload).sign(privateKey, 'base64')
  const root = makeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers: [{...layer, annotations: {[SIGNATURE]: signature}}],
    },
    {mediaType: mediaTypes.ociManifest},
  )
  const blobs = [
    {descriptor: config, bytes: configBytes},
    {descriptor: layer, bytes: payload},
  ]
  return {root, platforms: [], manifests: [root], blobs}
}

export function cosignTag(subject: Digest, kind: 'sig' | 'att' | 'sbom' = 'sig'): string {
  return `sha256-${hexOf(subject)}.${kind}`
}

/**
 * Verifies like `cosign verify --key`: the digest under the image's tag, the signature's manifest under the tag made of it,
 * the text in its layer, and the signature over that.
 * @returns the digest that was signed
 * @throws {Error} why it does not verify
 */
export async function cosignVerify(
  registry: TestRegistry,
  {
    repository,
    tag,
    publicKey,
  }: {readonly repository: string; readonly tag: string; readonly publicKey: KeyObject},
): Promise<Digest> {
  const digest = registry.manifest(repository, tag)?.digest
  if (digest === undefined) throw new Error(`no image ${repository}:${tag}`)
  const signed = registry.manifest(repository, cosignTag(digest))
  if (signed === undefined) throw new Error(`no signature of ${digest} in ${repository}`)
  const {layers} = JSON.parse(Buffer.from(signed.bytes).toString()) as {
    layers: readonly (Descriptor & {annotations: Record<string, string>})[]
  }
  const [layer] = layers
  const payload = layer === undefined ? undefined : await registry.blob(repository, layer.digest)
  if (layer === undefined || payload === undefined) throw new Error('the signed text is missing')
  const signature = layer.annotations[SIGNATURE] ?? ''
  if (!createVerify('sha256').update(payload).verify(publicKey, signature, 'base64'))
    throw new Error('the signature is not of this text')
  const {critical} = JSON.parse(Buffer.from(payload).toString()) as {
    critical: {image: {'docker-manifest-digest': Digest}}
  }
  if (critical.image['docker-manifest-digest'] !== digest) throw new Error('another image was signed')
  return digest
}
