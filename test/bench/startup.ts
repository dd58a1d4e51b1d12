import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  compress,
  makeImage,
  makeLayers,
  mirrorProgram,
  ociLayout,
  tarBytes,
  withTempDir,
} from '../kit/index.js'
import {startRegistry} from '../registry/index.js'
import {median, run} from './measure.js'

/** How long a run takes that has nothing to do, against Node's own start: `--runs=N`, each in turn. Wall time. */
const runs = Number(/^--runs=(\d+)$/.exec(process.argv[2] ?? '')?.[1] ?? 15)
const IMAGES = 15

/** Fifteen images on a shared base, as `.tar.xz`. */
async function makeBundle(path: string): Promise<void> {
  const base = await makeLayers({seed: 'startup base', layerSize: 300_000})
  const images = await Promise.all(
    Array.from({length: IMAGES}, async (_, index) => ({
      image: await makeImage({seed: `startup ${index}`, base, layerSize: 200_000}),
      annotations: {'io.containerd.image.name': `docker.io/bench/app${index}:v1`},
    })),
  )
  await writeFile(path, await compress(await tarBytes(ociLayout(images)), {type: 'xz', blockSize: 1 << 20}))
}

await withTempDir(async (directory) => {
  const bundle = join(directory, 'bundle.tar.xz')
  await makeBundle(bundle)
  await using registry = await startRegistry()
  const push = ['push', '--source', bundle, '--private-registry', registry.host, '--plain-http', '--quiet']
  const node = (args: readonly string[]): Promise<number> =>
    run(process.execPath, args, {env: {XDG_STATE_HOME: join(directory, 'state')}}).then(
      ({seconds}) => seconds,
    )
  const mirror = (...args: string[]) => [mirrorProgram(), ...args]
  await node(mirror(...push))
  const sent = registry.bytesReceived

  const cases: readonly {name: string; args: readonly string[]; seconds: number[]}[] = [
    {name: 'node -e 0', args: ['-e', '0'], seconds: []},
    {name: 'mirror --version', args: mirror('--version'), seconds: []},
    {name: 'mirror push --help', args: mirror('push', '--help'), seconds: []},
    {name: `push of ${IMAGES} images again`, args: mirror(...push), seconds: []},
  ]
  for (let round = 0; round < runs; round += 1) {
    for (const {args, seconds} of cases) seconds.push(await node(args))
  }
  if (registry.bytesReceived !== sent) throw new Error('a push of what was there has sent something')

  const floor = cases[0]?.seconds ?? []
  process.stdout.write(`Node.js ${process.versions.node}, medians of ${runs}\n`)
  process.stdout.write('case                       seconds   more than node   times node\n')
  for (const {name, seconds} of cases) {
    const against = (compare: (own: number, node: number) => number): number =>
      median(seconds.map((own, index) => compare(own, floor[index] ?? Number.NaN)))
    const figures = [
      median(seconds).toFixed(3).padStart(8),
      against((own, node) => own - node)
        .toFixed(3)
        .padStart(17),
      against((own, node) => own / node)
        .toFixed(1)
        .padStart(13),
    ]
    process.stdout.write(`${name.padEnd(26)}${figures.join('')}\n`)
  }
})
