import {join} from 'node:path'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  makeImage,
  makeTempDir,
  ociLayout,
  runMirror,
  skopeo,
  startDebianRegistry,
  writeDirectory,
  type ChildResult,
  type DebianRegistry,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {parseReport, type ReadReport} from './push.js'

/** Those that keep manifests. */
export const keeping = ['docker', 'oci', 'oci-archive', 'dir'] as const
type Transport = (typeof keeping)[number] | 'docker-archive'

interface Copied extends ChildResult {
  /** @throws where standard output was no report */
  readonly report: ReadReport
}

/** `mirror copy --json` without state; HTTP on both sides. */
export async function copy(from: string, to: string, flags: readonly string[] = []): Promise<Copied> {
  const usual = argv`--plain-http --source-plain-http --no-state --json`
  const result = await runMirror(argv`copy ${from} ${to} ${usual} ${flags}`)
  return {
    ...result,
    get report() {
      return parseReport(result)
    },
  }
}

/** Images, in every transport by skopeo's own hand, and room for more. */
export interface CopyScene extends AsyncDisposable {
  readonly directory: TempDir
  readonly registry: DebianRegistry
  /** An image of two platforms, at `from`. */
  readonly multi: TestImage
  readonly from: Readonly<Record<(typeof keeping)[number], string>>
  /** An image of one platform, as a docker-archive and in a layout. */
  readonly single: TestImage
  readonly archive: string
  readonly layout: string
  /** A place that nothing was written to yet. */
  place(transport: Transport): string
  /** The digest that skopeo finds at a place; it fetches everything below. */
  lookAt(place: string): Promise<string>
  /** The config, as skopeo finds it. */
  configAt(place: string): Promise<string>
}

export async function copyScene(): Promise<CopyScene> {
  const directory = await makeTempDir()
  const registry = await startDebianRegistry()
  const multi = await makeImage({seed: 'copy-multi', platforms: ['linux/amd64', 'linux/arm64'], layers: 3})
  const single = await makeImage({seed: 'copy-single'})
  const layout = join(directory.path, 'originals')
  const named = (image: TestImage, name: string) => ({
    image,
    annotations: {'org.opencontainers.image.ref.name': name},
  })
  await writeDirectory(layout, ociLayout([named(multi, 'multi'), named(single, 'single')]))
  const from = {
    oci: `oci:${layout}:multi`,
    docker: `docker://${registry.host}/originals/multi:v1`,
    'oci-archive': `oci-archive:${join(directory.path, 'original.oci')}`,
    dir: `dir:${join(directory.path, 'original.dir')}`,
  }
  for (const to of [from.docker, from['oci-archive'], from.dir])
    await skopeo(['copy', '--quiet', '--all', '--dest-tls-verify=false', from.oci, to])
  const archive = `docker-archive:${join(directory.path, 'original.docker')}:team/single:v1`
  await skopeo(['copy', '--quiet', `oci:${layout}:single`, archive])
  let places = 0
  const tls = (place: string, flag: string): readonly string[] =>
    place.startsWith('docker:') ? [`${flag}=false`] : []
  return {
    directory,
    registry,
    multi,
    from,
    single,
    archive,
    layout: `oci:${layout}:single`,
    place: (transport) => {
      const name = `place-${++places}`
      if (transport === 'docker') return `docker://${registry.host}/team/${name}:v1`
      const path = join(directory.path, name)
      return transport === 'dir' ? `dir:${path}` : `${transport}:${path}:team/${name}:v1`
    },
    lookAt: async (place) => {
      const to = `dir:${join(directory.path, `looked-${++places}`)}`
      await skopeo(['copy', '--quiet', '--all', ...tls(place, '--src-tls-verify'), place, to])
      return digestOf(Buffer.from(await skopeo(['inspect', '--raw', ...tls(place, '--tls-verify'), place])))
    },
    configAt: (place) => skopeo(['inspect', '--config', '--raw', ...tls(place, '--tls-verify'), place]),
    [Symbol.asyncDispose]: async () => {
      await registry.stop()
      await directory.remove()
    },
  }
}
