import {mkdir, rm, stat, writeFile} from 'node:fs/promises'
import {cpus, tmpdir} from 'node:os'
import {join} from 'node:path'
import {mirrorProgram, startDebianRegistry} from '../kit/index.js'
import {makeBundles} from './bundles.js'
import {median, run, type Measured} from './measure.js'

/**
 * A cold save of 16 images from a loopback registry, against the peers' way: `skopeo copy` of each into one layout, then tar, and
 * `xz -T0`. Sizes are compared, too.
 */
const args = new Map(
  process.argv.slice(2).map((text) => text.replace(/^--/, '').split('=') as [string, string]),
)
const pairs = Number(args.get('pairs') ?? 3)
const scale = Number(args.get('scale') ?? 1)
const directory = args.get('dir') ?? join(tmpdir(), 'airgap-mirror-bench')
const scratch = join(directory, 'save')

const GOALS: Readonly<Record<string, number>> = {'tar.xz': 0.6, 'tar.zst': 0.3}

async function emptied(): Promise<void> {
  await rm(scratch, {recursive: true, force: true})
  await mkdir(scratch, {recursive: true})
}

async function save(list: string, ending: string): Promise<Measured> {
  await emptied()
  const output = join(scratch, `bundle.${ending}`)
  const flags = ['--images', list, '--output', output, '--source-plain-http', '--quiet']
  return run(process.execPath, [mirrorProgram(), 'save', ...flags], {scratch})
}

async function peers(names: readonly string[]): Promise<Measured> {
  await emptied()
  const copies = names.map(
    (name, index) =>
      `skopeo copy -q --src-tls-verify=false docker://${name} oci:${scratch}/layout:app${index}`,
  )
  const script = `${copies.join('\n')}\ntar -C ${scratch}/layout -cf ${scratch}/bundle.tar .\nxz -T0 ${scratch}/bundle.tar`
  return run('bash', ['-euo', 'pipefail', '-c', script], {scratch})
}

async function sizeOf(ending: string): Promise<number> {
  return (await stat(join(scratch, `bundle.${ending}`))).size
}

const bundles = await makeBundles(join(directory, `scale-${scale}`), scale)
await using registry = await startDebianRegistry()
const pushed = ['--source', bundles.layoutTar, '--private-registry', registry.host, '--plain-http', '--quiet']
await run(process.execPath, [mirrorProgram(), 'push', ...pushed])
const names = bundles.names.map((name) => name.replace('docker.io', registry.host))
const list = join(directory, 'save-list.txt')
await writeFile(list, names.map((name) => `${name}\n`).join(''))

const theirs: Measured[] = []
for (let pair = 0; pair < pairs; pair += 1) theirs.push(await peers(names))
const theirSize = await sizeOf('tar.xz')
const theirSeconds = median(theirs.map(({seconds}) => seconds))
const theirCpu = median(theirs.map(({cpuSeconds}) => cpuSeconds))
process.stdout.write(
  `${cpus().length} processors, ${cpus()[0]?.model}; ${names.length} images; peers ${theirSeconds.toFixed(2)} s, CPU ${theirCpu.toFixed(2)} s, ${theirSize} bytes; median of ${pairs}\n`,
)
process.stdout.write('ending      ours s   ratio    goal     CPU  size ratio   memory\n')
for (const ending of ['tar.xz', 'tar.zst', 'tar.gz', 'tar']) {
  const ours: Measured[] = []
  for (let pair = 0; pair < pairs; pair += 1) ours.push(await save(list, ending))
  const seconds = median(ours.map((one) => one.seconds))
  process.stdout.write(
    [
      ending.padEnd(9),
      seconds.toFixed(2).padStart(8),
      (seconds / theirSeconds).toFixed(2).padStart(7),
      (GOALS[ending]?.toFixed(2) ?? '').padStart(7),
      (median(ours.map(({cpuSeconds}) => cpuSeconds)) / theirCpu).toFixed(2).padStart(7),
      ((await sizeOf(ending)) / theirSize).toFixed(4).padStart(11),
      `${(Math.max(...ours.map(({peakMemory}) => peakMemory)) / 1e6).toFixed(0)} MB`.padStart(8),
    ].join(' ') + '\n',
  )
}
