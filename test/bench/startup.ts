import {writeFile} from 'node:fs/promises'
import {loadavg} from 'node:os'
import {join} from 'node:path'
import {parseArgs} from 'node:util'
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
import {median, run, type Measured} from './measure.js'

/**
 * The cost of a run that has nothing to do, against Node's own start, each in turn: `--runs=N`. `--package=DIR` measures an
 * unpacked package and its Node.js. On a busy machine only the processor time says something.
 */
const {values} = parseArgs({options: {runs: {type: 'string', default: '15'}, package: {type: 'string'}}})
const runs = Number(values.runs)
const runtime = values.package === undefined ? process.execPath : join(values.package, 'lib/node/bin/node')
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
  const measured = ([command = '', ...args]: readonly string[]): Promise<Measured> =>
    run(command, args, {env: {XDG_STATE_HOME: join(directory, 'state')}})
  const program =
    values.package === undefined ? [runtime, mirrorProgram()] : [join(values.package, 'bin/mirror')]
  const mirror = (...args: string[]) => [...program, ...args]
  await measured(mirror(...push))
  const sent = registry.bytesReceived

  const cases: readonly {name: string; line: readonly string[]; measured: Measured[]}[] = [
    {name: 'node -e 0', line: [runtime, '-e', '0'], measured: []},
    {name: 'mirror --version', line: mirror('--version'), measured: []},
    {name: 'mirror help', line: mirror('help'), measured: []},
    {name: 'mirror push --help', line: mirror('push', '--help'), measured: []},
    {name: `push of ${IMAGES} images again`, line: mirror(...push), measured: []},
  ]
  for (let round = 0; round < runs; round += 1) {
    for (const each of cases) each.measured.push(await measured(each.line))
  }
  if (registry.bytesReceived !== sent) throw new Error('a push of what was there has sent something')

  process.stdout.write(`medians of ${runs}, with a load of ${loadavg()[0]?.toFixed(1)}\n`)
  process.stdout.write('case                       seconds   times node   processor   times node\n')
  for (const each of cases) {
    const columns = (['seconds', 'cpuSeconds'] as const).flatMap((figure) => {
      const [own, floor] = [each, cases[0]].map((one) =>
        median((one?.measured ?? []).map((it) => it[figure])),
      )
      return [(own ?? 0).toFixed(3).padStart(9), ((own ?? 0) / (floor ?? 1)).toFixed(2).padStart(13)]
    })
    process.stdout.write(`${each.name.padEnd(25)}${columns.join('')}\n`)
  }
})
