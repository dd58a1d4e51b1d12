import {mkdir, rm, writeFile} from 'node:fs/promises'
import {loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import {mirrorProgram, startDebianRegistry} from '../kit/index.js'
import {makeBundles} from './bundles.js'
import {startDelayProxy} from './delay-proxy.js'
import {startManyImages} from './many-images.js'
import {median, run, type Measured} from './measure.js'

/**
 * A push of a saved bundle from standard input against one from the file; a verification of 200 images over a way of 10 ms; memory
 * of save, push and verify at 1,000 images. `--pairs=N`, `--scale=N` as in the other benches, `--images=N`. Each in turn, so that
 * ratios hold on a busy machine, too.
 */
const args = new Map(
  process.argv.slice(2).map((text) => text.replace(/^--/, '').split('=') as [string, string]),
)
const pairs = Number(args.get('pairs') ?? 3)
const scale = Number(args.get('scale') ?? 1)
const images = Number(args.get('images') ?? 1000)
const directory = args.get('dir') ?? join(tmpdir(), 'airgap-mirror-bench')
const work = join(directory, 'gap')
const program = mirrorProgram()

function say(line: string): void {
  process.stdout.write(`${line} (load ${loadavg()[0]?.toFixed(0)})\n`)
}

function mirror(...flags: readonly string[]): Promise<Measured> {
  return run(process.execPath, [program, ...flags, '--quiet'], {env: {XDG_STATE_HOME: join(work, 'state')}})
}

function mebibytes({peakMemory}: Measured): string {
  return `${(peakMemory / 2 ** 20).toFixed(0)} MiB`
}

/** Pushes of one bundle, from the file and from a pipe in turn, each into a namespace of its own. */
async function pushes(): Promise<void> {
  const bundles = await makeBundles(join(directory, `scale-${scale}`), scale)
  await using registry = await startDebianRegistry()
  await mirror('push', '--source', bundles.layoutTar, '--private-registry', registry.host, '--plain-http')
  const list = join(work, 'names.txt')
  const names = bundles.names.map((name) => `${name.replace('docker.io', registry.host)}\n`)
  await writeFile(list, names.join(''))
  for (const ending of ['tar', 'tar.zst', 'tar.gz', 'tar.xz']) {
    const bundle = join(work, `bundle.${ending}`)
    await mirror('save', '--images', list, '--output', bundle, '--source-plain-http')
    const fromFile: Measured[] = []
    const fromPipe: Measured[] = []
    for (let pair = 0; pair < pairs; pair += 1) {
      const report = ['--no-state', '--report', join(work, 'report.json')]
      const flags = (name: string): readonly string[] =>
        ['--private-registry', `${registry.host}/${ending}${name}${pair}`, '--plain-http'].concat(report)
      fromFile.push(await mirror('push', '--source', bundle, ...flags('file')))
      const pipe = 'cat "$0" | "$@"'
      const push = [
        process.execPath,
        program,
        'push',
        '--source',
        '-',
        '--no-scratch',
        ...flags('pipe'),
        '--quiet',
      ]
      fromPipe.push(await run('bash', ['-euo', 'pipefail', '-c', pipe, bundle, ...push]))
    }
    const ratioOf = (read: (one: Measured) => number): string =>
      median(fromPipe.map((one, pair) => read(one) / read(fromFile[pair] ?? one))).toFixed(2)
    const seconds = median(fromFile.map((one) => one.seconds)).toFixed(2)
    const most = fromPipe.toSorted((left, right) => right.peakMemory - left.peakMemory)[0]
    say(
      `push .${ending}: file ${seconds} s; pipe ${ratioOf((one) => one.seconds)} × (goal 1.1), CPU ${ratioOf((one) => one.cpuSeconds)} ×, ${most === undefined ? '' : mebibytes(most)}, no scratch`,
    )
    await rm(bundle)
  }
}

/** Save, push and verify of many small images; the verification once over a longer way. */
async function many(): Promise<void> {
  await using registries = await startManyImages(images)
  const {source, target, names} = registries
  const list = join(work, 'many.txt')
  await writeFile(list, names.map((name) => `${source}/${name}\n`).join(''))
  const bundle = join(work, 'many.tar.zst')
  const saved = await mirror('save', '--images', list, '--output', bundle, '--source-plain-http')
  const to = (host: string): readonly string[] => ['--private-registry', host, '--plain-http']
  const pushed = await mirror('push', '--source', bundle, ...to(target))
  const verified = await mirror('verify', '--source', bundle, ...to(target))
  say(
    `${images} images: save ${mebibytes(saved)}, push ${mebibytes(pushed)}, verify ${mebibytes(verified)} (goal 256 MiB)`,
  )
  const some = join(work, 'some.txt')
  await writeFile(
    some,
    names
      .slice(0, 200)
      .map((name) => `${source}/${name}\n`)
      .join(''),
  )
  const part = join(work, 'some.tar.zst')
  await mirror('save', '--images', some, '--output', part, '--source-plain-http')
  await using proxy = await startDelayProxy(target, {milliseconds: 5})
  const seconds: number[] = []
  const cpu: number[] = []
  for (let round = 0; round <= pairs; round += 1) {
    const one = await mirror('verify', '--source', part, ...to(proxy.host))
    if (round > 0) {
      seconds.push(one.seconds)
      cpu.push(one.cpuSeconds)
    }
  }
  say(
    `verify of 200 images over 10 ms, warm: ${median(seconds).toFixed(2)} s (goal 3), CPU ${median(cpu).toFixed(2)} s`,
  )
}

await rm(work, {recursive: true, force: true})
await mkdir(work, {recursive: true})
await pushes()
await many()
await rm(work, {recursive: true, force: true})
