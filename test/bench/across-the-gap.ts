import {mkdir, rm, stat, writeFile} from 'node:fs/promises'
import {loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import {mirrorProgram, startDebianRegistry} from '../kit/index.js'
import {makeBundles} from './bundles.js'
import {startDelayProxy} from './delay-proxy.js'
import {startManyImages} from './many-images.js'
import {median, run, type Measured} from './measure.js'

/**
 * A push of a saved bundle from standard input against one from the file; a look at a bundle that was read before; a push of 200
 * small images by each form of a bundle; a verification of them over a way of 10 ms; memory of save, push and verify at 1,000 images.
 * `--pairs=N`, `--scale=N` as in the other benches, `--images=N`. Each in turn, so that ratios hold on a busy machine, too.
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
  const quiet = flags[0] === 'inspect' ? [] : ['--quiet']
  return run(process.execPath, [program, ...flags, ...quiet], {env: {XDG_STATE_HOME: join(work, 'state')}})
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
    const redirected: Measured[] = []
    for (let pair = 0; pair < pairs; pair += 1) {
      const report = ['--no-state', '--report', join(work, 'report.json')]
      const flags = (name: string): readonly string[] =>
        ['--private-registry', `${registry.host}/${ending}${name}${pair}`, '--plain-http'].concat(report)
      const fromInput = (line: string, name: string): Promise<Measured> => {
        const push = [program, 'push', '--source', '-', '--no-scratch', ...flags(name), '--quiet']
        return run('bash', ['-euo', 'pipefail', '-c', line, bundle, process.execPath, ...push])
      }
      fromFile.push(await mirror('push', '--source', bundle, ...flags('file')))
      fromPipe.push(await fromInput('cat "$0" | "$@"', 'pipe'))
      redirected.push(await fromInput('"$@" <"$0"', 'redirected'))
    }
    const ratioOf = (input: readonly Measured[], read: (one: Measured) => number): string =>
      median(input.map((one, pair) => read(one) / read(fromFile[pair] ?? one))).toFixed(2)
    const ratios = (input: readonly Measured[]): string =>
      `${ratioOf(input, (one) => one.seconds)} ×, CPU ${ratioOf(input, (one) => one.cpuSeconds)} ×`
    const seconds = median(fromFile.map((one) => one.seconds)).toFixed(2)
    const cpu = median(fromFile.map((one) => one.cpuSeconds)).toFixed(2)
    const most = fromPipe.toSorted((left, right) => right.peakMemory - left.peakMemory)[0]
    say(
      `push .${ending}: file ${seconds} s, CPU ${cpu} s; pipe with its cat ${ratios(fromPipe)}; <file ${ratios(redirected)} (goal 1.1), ${most === undefined ? '' : mebibytes(most)}, no scratch`,
    )
    if (ending === 'tar.xz') await looks(bundle)
    await rm(bundle)
  }
}

/** Looks at a bundle whose index is remembered. */
async function looks(bundle: string): Promise<void> {
  const seen: Measured[] = []
  for (let round = 0; round <= pairs; round += 1) seen.push(await mirror('inspect', bundle))
  const [first, ...later] = seen
  const {size} = await stat(bundle)
  say(
    `inspect of ${(size / 1e6).toFixed(0)} MB .tar.xz: first ${first?.seconds.toFixed(2)} s, then ${figures(later)} (goal 0.3 s)`,
  )
}

function figures(runs: readonly Measured[]): string {
  const seconds = median(runs.map((one) => one.seconds))
  return `${seconds.toFixed(2)} s, CPU ${median(runs.map(({cpuSeconds}) => cpuSeconds)).toFixed(2)} s`
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
  for (const ending of ['tar', 'tar.gz', 'tar.xz', 'tar.zst']) {
    const small = join(work, `some.${ending}`)
    await mirror('save', '--images', some, '--output', small, '--source-plain-http')
    const seen: Measured[] = []
    for (let round = 0; round < pairs; round += 1) {
      seen.push(await mirror('push', '--no-state', '--source', small, ...to(`${target}/${ending}${round}`)))
    }
    say(`push of 200 images from .${ending}: ${figures(seen)}`)
  }
  const part = join(work, 'some.tar.zst')
  await using proxy = await startDelayProxy(target, {milliseconds: 5})
  const seen: Measured[] = []
  for (let round = 0; round <= pairs; round += 1)
    seen.push(await mirror('verify', '--source', part, ...to(proxy.host)))
  say(`verify of 200 images over 10 ms, warm: ${figures(seen.slice(1))} (goal 3 s)`)
}

await rm(work, {recursive: true, force: true})
await mkdir(work, {recursive: true})
await pushes()
await many()
await rm(work, {recursive: true, force: true})
