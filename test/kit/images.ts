import zlib from 'node:zlib'
import {
  digestOf,
  mediaTypes,
  type Descriptor,
  type Digest,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import {seededBytes, seededText} from './seeded.js'
import {tarBytes} from './tar.js'

export interface TestBlob {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

/** A real layer: a tar with one file. */
export interface TestLayer extends TestBlob {
  readonly diffId: Digest
  readonly plain: Uint8Array
}

export interface TestManifest {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
}

export interface PlatformImage {
  readonly manifest: TestManifest
  readonly config: TestBlob
  readonly layers: readonly TestLayer[]
}

export interface TestImage {
  /** The manifest for a tag: the index if there are several platforms, else the image. */
  readonly root: TestManifest
  readonly platforms: readonly PlatformImage[]
  /** All of them, children before parents. */
  readonly manifests: readonly TestManifest[]
  /** Configs and layers, each once. */
  readonly blobs: readonly TestBlob[]
}

export interface ImageOptions {
  readonly seed: string
  /** Layers of each platform's own; default 2. */
  readonly layers?: number
  /** Plain bytes of the file in each layer; default 10,000. */
  readonly layerSize?: number
  /** `os/arch[/variant]`; with more than one, or with `index`, there is an index. Default linux/amd64. */
  readonly platforms?: readonly string[]
  readonly index?: boolean
  readonly format?: 'oci' | 'docker'
  /** The compression of the layers; default gzip. */
  readonly compression?: 'gzip' | 'none'
  /** random: does not compress. Default text. */
  readonly content?: 'random' | 'text'
  /** Layers below the image's own. */
  readonly base?: readonly TestLayer[]
  /** Make it a referrer of this. */
  readonly subject?: Descriptor
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** An image that is always the same for the same options. */
export async function makeImage(options: ImageOptions): Promise<TestImage> {
  const names = options.platforms ?? ['linux/amd64']
  const platforms = await Promise.all(names.map((name) => makePlatform(parsePlatform(name), options)))
  const children = platforms.map(({manifest}) => manifest)
  const [only] = children
  const root =
    only !== undefined && names.length === 1 && options.index !== true ? only : makeIndex(children, options)
  return {
    root,
    platforms,
    manifests: root === only ? children : [...children, root],
    blobs: unique([...platforms.map(({config}) => config), ...platforms.flatMap(({layers}) => layers)]),
  }
}

/** Layers for several images to share. */
export function makeLayers(options: ImageOptions): Promise<readonly TestLayer[]> {
  return Promise.all(
    Array.from({length: options.layers ?? 2}, (_, index) => makeLayer(`${options.seed}/${index}`, options)),
  )
}

/** A manifest or index as bytes, with the descriptor that names it. */
export function makeManifest(
  value: Readonly<Record<string, unknown>>,
  options: {readonly mediaType: string; readonly platform?: Platform},
): TestManifest {
  const bytes = Buffer.from(JSON.stringify(value))
  return {bytes, descriptor: {...options, digest: digestOf(bytes), size: bytes.length}}
}

async function makePlatform(platform: Platform, options: ImageOptions): Promise<PlatformImage> {
  const isDocker = options.format === 'docker'
  const seed = `${options.seed}/${platform.os}/${platform.architecture}/${platform.variant ?? ''}`
  const layers = [...(options.base ?? []), ...(await makeLayers({...options, seed}))]
  const configType = isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig
  const config = makeBlob(
    Buffer.from(
      JSON.stringify({
        created: '2026-01-01T00:00:00Z',
        ...platform,
        config: {Env: [`SEED=${seed}`]},
        rootfs: {type: 'layers', diff_ids: layers.map(({diffId}) => diffId)},
        history: layers.map((_, index) => ({created: '2026-01-01T00:00:00Z', created_by: `layer ${index}`})),
      }),
    ),
    configType,
  )
  const mediaType = isDocker ? mediaTypes.dockerManifest : mediaTypes.ociManifest
  const manifest = makeManifest(
    {
      schemaVersion: 2,
      mediaType,
      artifactType: options.artifactType,
      config: config.descriptor,
      layers: layers.map(({descriptor}) => descriptor),
      subject: options.subject,
      annotations: options.annotations,
    },
    {mediaType, platform},
  )
  return {manifest, config, layers}
}

async function makeLayer(seed: string, options: ImageOptions): Promise<TestLayer> {
  const size = options.layerSize ?? 10_000
  const bytes = options.content === 'random' ? seededBytes(seed, size) : seededText(seed, size)
  const plain = await tarBytes([{path: `data/${digestOf(Buffer.from(seed)).slice(7, 19)}`, bytes}])
  const isDocker = options.format === 'docker'
  const blob =
    options.compression === 'none'
      ? makeBlob(plain, isDocker ? mediaTypes.dockerLayer : mediaTypes.ociLayer)
      : makeBlob(zlib.gzipSync(plain), isDocker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip)
  return {...blob, plain, diffId: digestOf(plain)}
}

function makeIndex(children: readonly TestManifest[], options: ImageOptions): TestManifest {
  const mediaType = options.format === 'docker' ? mediaTypes.dockerList : mediaTypes.ociIndex
  return makeManifest(
    {
      schemaVersion: 2,
      mediaType,
      manifests: children.map(({descriptor}) => descriptor),
      annotations: options.annotations,
    },
    {mediaType},
  )
}

function makeBlob(bytes: Uint8Array, mediaType: string): TestBlob {
  return {
    bytes,
    descriptor: {mediaType, digest: digestOf(bytes), size: bytes.length},
  }
}

function unique(blobs: readonly TestBlob[]): readonly TestBlob[] {
  return [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()]
}

function parsePlatform(name: string): Platform {
  const [os = 'linux', architecture = 'amd64', variant] = name.split('/')
  return {os, architecture, variant}
}
