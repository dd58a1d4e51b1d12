import {existsSync} from 'node:fs'
import {link, mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {digestOf, hexOf, mediaTypes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {run} from './measure.js'
import {makeLayers, type DiskLayer} from './real-layers.js'

/** The bundles a run compares: the same images in several shapes. */
export interface Bundles {
  /** Source references, one an image. */
  readonly names: readonly string[]
  readonly layout: string
  readonly layoutTar: string
  readonly layoutXz: string
  /** As K3s makes its own: containerd's export, one zstd frame with a long window. */
  readonly k3sZst: string
  readonly dockerTar: string
  readonly dockerXz: string
  /** `layoutXz` with one image changed. */
  readonly changedXz: string
  readonly plainSize: number
}

const MB = 1_000_000

/** Makes what is not there yet. @param scale 1: about 1 GB of plain layers in 16 images */
export async function makeBundles(directory: string, scale: number): Promise<Bundles> {
  const done = join(directory, 'bundles.json')
  if (existsSync(done)) return JSON.parse(await readFile(done, 'utf8')) as Bundles
  await rm(directory, {recursive: true, force: true})
  const bases = [90, 120].map((size) => size * MB * scale)
  const own = [12, 80, 3, 45, 150, 20, 6, 60, 30, 9, 110, 15, 70, 25, 100, 40, 18].map(
    (size) => size * MB * scale,
  )
  const layers = await makeLayers(join(directory, 'layers'), [...bases, ...own])
  const images = own.slice(0, 16).map((_, index) => imageOf(index, [layers[index % 2], layers[2 + index]]))
  const changed = [...images.slice(0, 15), imageOf(15, [layers[1], layers[2 + 16]])]
  const layout = join(directory, 'layout')
  await writeLayout(layout, images)
  await writeLayout(join(directory, 'changed'), changed)
  await writeDocker(join(directory, 'docker'), images)
  const bundles: Bundles = {
    names: images.map(({name}) => name),
    layout,
    layoutTar: await tarOf(layout, 'layout.tar'),
    layoutXz: await xzOf(await tarOf(layout, 'layout.tar')),
    k3sZst: await zstOf(await tarOf(layout, 'k3s.tar', ['manifest.json'])),
    dockerTar: await tarOf(join(directory, 'docker'), 'docker.tar', ['manifest.json']),
    dockerXz: await xzOf(join(directory, 'docker.tar')),
    changedXz: await xzOf(await tarOf(join(directory, 'changed'), 'changed.tar')),
    plainSize: layers.reduce((sum, {plainSize}) => sum + plainSize, 0),
  }
  await writeFile(`${done}.part`, JSON.stringify(bundles, undefined, 2))
  await rename(`${done}.part`, done)
  return bundles
}

interface Image {
  readonly name: string
  readonly layers: readonly DiskLayer[]
  readonly config: Uint8Array
  readonly manifest: Uint8Array
}

function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return {
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  }
}
function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function imageOf(index: number, given: readonly (DiskLayer | undefined)[]): Image {
  const layers = given.filter((layer) => layer !== undefined)
  const config = json({
    architecture: 'amd64',
    os: 'linux',
    config: {Env: [`IMAGE=${index}`]},
    rootfs: {type: 'layers', diff_ids: layers.map(({diffId}) => diffId)},
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: describe(config, mediaTypes.ociConfig),
    layers: layers.map(({digest, size}) => ({mediaType: mediaTypes.ociLayerGzip, digest, size})),
  })
  return {name: `docker.io/bench/app${index}:v1`, layers, config, manifest}
}

async function writeLayout(directory: string, images: readonly Image[]): Promise<void> {
  const blobs = join(directory, 'blobs', 'sha256')
  await mkdir(blobs, {recursive: true})
  for (const {layers, config, manifest} of images) {
    for (const {digest, gzip} of layers) await link(gzip, join(blobs, hexOf(digest))).catch(ignoreExisting)
    for (const bytes of [config, manifest]) await writeFile(join(blobs, hexOf(digestOf(bytes))), bytes)
  }
  const manifests = images.map(({name, manifest}) => ({
    ...describe(manifest, mediaTypes.ociManifest),
    annotations: {'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name},
  }))
  const path = (digest: Descriptor['digest']): string => `blobs/sha256/${hexOf(digest)}`
  const docker = images.map(({name, config, layers}) => ({
    Config: path(digestOf(config)),
    RepoTags: [name],
    Layers: layers.map(({digest}) => path(digest)),
  }))
  await writeFile(join(directory, 'index.json'), json({schemaVersion: 2, manifests}))
  await writeFile(join(directory, 'manifest.json'), json(docker))
  await writeFile(join(directory, 'oci-layout'), json({imageLayoutVersion: '1.0.0'}))
}

/** As skopeo and podman write it: plain layers by diff id, each image's legacy directories left out. */
async function writeDocker(directory: string, images: readonly Image[]): Promise<void> {
  await mkdir(directory, {recursive: true})
  for (const {layers, config} of images) {
    for (const {diffId, plain} of layers)
      await link(plain, join(directory, `${hexOf(diffId)}.tar`)).catch(ignoreExisting)
    await writeFile(join(directory, `${hexOf(digestOf(config))}.json`), config)
  }
  const manifest = images.map(({name, config, layers}) => ({
    Config: `${hexOf(digestOf(config))}.json`,
    RepoTags: [name],
    Layers: layers.map(({diffId}) => `${hexOf(diffId)}.tar`),
  }))
  await writeFile(join(directory, 'manifest.json'), json(manifest))
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/** Members in the order of their names, as exporters write them; manifest.json only where a shape has it. */
async function tarOf(directory: string, name: string, extra: readonly string[] = []): Promise<string> {
  const tar = join(directory, '..', name)
  if (existsSync(tar)) return tar
  const exclude = extra.includes('manifest.json') ? [] : ['--exclude=./manifest.json']
  await run('tar', ['--sort=name', '--owner=0', '--group=0', ...exclude, '-C', directory, '-cf', tar, '.'])
  return tar
}

async function xzOf(tar: string): Promise<string> {
  await run('xz', ['-T0', '-k', '-f', '-2', '--block-size=24MiB', tar])
  return `${tar}.xz`
}

async function zstOf(tar: string): Promise<string> {
  await run('zstd', ['-q', '-T0', '-6', '-f', '--long=25', tar])
  return `${tar}.zst`
}
