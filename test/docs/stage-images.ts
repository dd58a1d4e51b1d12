import {
  compress,
  dockerArchive,
  imgpkgTar,
  makeImage,
  ociLayout,
  tarBytes,
  type Entry,
  type NamedImage,
  type TestImage,
} from '@airgap-mirror/test/kit'

export interface Published {
  readonly image: TestImage
  readonly repository: string
  readonly tag: string
}

/** The images that the lists and job files of the pages name. */
export async function publishedImages(): Promise<readonly Published[]> {
  const tags = {
    'rancher/mirrored-pause': ['3.6'],
    'rancher/klipper-helm': ['v0.9.12'],
    'team/app': ['v1'],
    'team/tool': ['v1.29.4', 'v1.30.0', 'v1.30.1', 'v1.31.0'],
    'library/busybox': ['1.36', '1.37'],
    pause: ['3.9'],
  }
  const all = Object.entries(tags).flatMap(([repository, names]) => names.map((tag) => ({repository, tag})))
  return Promise.all(
    all.map(async ({repository, tag}) => ({
      repository,
      tag,
      image: await makeImage({seed: `${repository}:${tag}`}),
    })),
  )
}

export function named(name: string, image: TestImage, keep?: NamedImage['keep']): NamedImage {
  return {
    image,
    annotations: {'io.containerd.image.name': name},
    keep,
  }
}

/** The bundles that the pages push, each small and of the shape its name promises. */
export async function makeBundles(): Promise<Readonly<Record<string, Uint8Array>>> {
  const app = await makeImage({seed: 'app', platforms: ['linux/amd64', 'linux/arm64']})
  const busybox = await makeImage({seed: 'busybox'})
  const pause = await makeImage({seed: 'pause'})
  const main = ociLayout([
    named('gcr.io/team/app:v1', app),
    named('docker.io/library/busybox:1.36', busybox),
    named('registry.k8s.io/pause:3.9', pause),
  ])
  const isFirst: NamedImage['keep'] = (platform) => platform === app.platforms[0]
  const lost = ociLayout([named('gcr.io/team/lost:v1', busybox), named('gcr.io/team/app:v1', pause)])
  const lostLayer = busybox.platforms[0]?.layers[0]?.descriptor.digest.slice('sha256:'.length) ?? ''
  const archive = await tarBytes(dockerArchive([{image: busybox, tags: ['busybox:1.36']}]))
  const inner = await tarBytes(ociLayout([named('gcr.io/anthos-baremetal-release/ais:1.34.0', pause)]))
  const xz = (entries: readonly Entry[]) =>
    tarBytes(entries).then((bytes) => compress(bytes, {type: 'xz', blockSize: 16 * 1024}))
  const packed = await xz(main)
  const k3s = await tarBytes(
    ociLayout([
      named('docker.io/rancher/mirrored-pause:3.6', app, isFirst),
      named('docker.io/rancher/klipper-helm:v0.9.12', busybox),
    ]),
  )
  return {
    'bundle.tar.xz': packed,
    'truncated.tar.xz': packed.subarray(0, packed.length / 2),
    'bmpackages_1.34.0.tar.xz': await xz([
      {path: 'ais.tar', bytes: inner},
      {path: 'busybox.tar', bytes: archive},
    ]),
    // Plain where this machine packs no zstd: what it is called does not matter.
    'k3s-airgap-images-amd64.tar.zst': await compress(k3s, {type: 'zstd', windowLog: 25}).catch(() => k3s),
    'images.tar': archive,
    'incomplete.tar': await tarBytes(lost.filter(({path}) => !path.endsWith(lostLayer))),
    'two-hosts.tar': await tarBytes(
      ociLayout([named('gcr.io/a/b:v1', busybox), named('quay.io/a/b:v1', pause)]),
    ),
    'shop.tar': await tarBytes(
      imgpkgTar([
        {image: busybox, ref: `docker.io/library/busybox@${busybox.root.descriptor.digest}`},
        {image: pause, ref: `registry.example/apps/shop@${pause.root.descriptor.digest}`, tag: '1.0.0'},
      ]),
    ),
    'unnamed.tar': await tarBytes(
      ociLayout([{image: pause, annotations: {'org.opencontainers.image.ref.name': 'v3'}}]),
    ),
  }
}
