import {mkdir, rm} from 'node:fs/promises'
import {cpus, tmpdir} from 'node:os'
import {join} from 'node:path'
import {mirrorProgram, startDebianRegistry} from '../kit/index.js'
import {makeBundles, type Bundles} from './bundles.js'
import {median, run, type Measured} from './measure.js'
import {bareUpload} from './bare-upload.js'

/** A comparison: ours against the peers' pipeline for the same work. */
interface Case {
  readonly name: string
  readonly goal: number
  readonly bundle: string
  readonly flags?: readonly string[]
  /** Push this first, uncounted. */
  readonly before?: string
  readonly peer: (target: Target) => Promise<Measured>
}

interface Target {
  readonly host: string
  readonly scratch: string
}

const args = new Map(
  process.argv.slice(2).map((text) => text.replace(/^--/, '').split('=') as [string, string]),
)
const pairs = Number(args.get('pairs') ?? 3)
const scale = Number(args.get('scale') ?? 1)
const directory = args.get('dir') ?? join(tmpdir(), 'airgap-mirror-bench')
const only = args.get('cases')?.split(',')
const stateHome = join(directory, 'state')

function shell(script: string, {scratch}: Target): Promise<Measured> {
  return run('bash', ['-euo', 'pipefail', '-c', script], {scratch, env: {TMPDIR: scratch}})
}

function skopeoEach(names: readonly string[], source: string, {host}: Target): string {
  return names
    .map(
      (name) =>
        `skopeo copy -q --dest-tls-verify=false ${source}:${name} docker://${host}/${name.replace('docker.io/', '')}`,
    )
    .join('\n')
}

function casesOf(b: Bundles): readonly Case[] {
  const xzLayout = (bundle: string) => (target: Target) =>
    shell(
      `mkdir ${target.scratch}/l; xz -dc -T0 ${bundle} | tar -xC ${target.scratch}/l\n${skopeoEach(b.names, `oci:${target.scratch}/l`, target)}`,
      target,
    )
  const xzDocker = (target: Target) =>
    shell(
      `xz -dc -T0 ${b.dockerXz} > ${target.scratch}/d.tar\n${skopeoEach(b.names, `docker-archive:${target.scratch}/d.tar`, target)}`,
      target,
    )
  return [
    {name: 'oci .tar.xz', goal: 0.6, bundle: b.layoutXz, peer: xzLayout(b.layoutXz)},
    {
      name: 'k3s .tar.zst',
      goal: 0.25,
      bundle: b.k3sZst,
      peer: (target) =>
        shell(
          `zstd -dq ${b.k3sZst} -o ${target.scratch}/k.tar\n${skopeoEach(b.names, `docker-archive:${target.scratch}/k.tar`, target)}`,
          target,
        ),
    },
    {
      name: 'oci directory',
      goal: 0.5,
      bundle: b.layout,
      peer: (target) => shell(skopeoEach(b.names, `oci:${b.layout}`, target), target),
    },
    {
      name: 'oci .tar',
      goal: 0.5,
      bundle: b.layoutTar,
      peer: (target) => shell(skopeoEach(b.names, `oci:${b.layout}`, target), target),
    },
    {name: 'docker .tar.xz gzip', goal: 1, bundle: b.dockerXz, peer: xzDocker},
    {
      name: 'docker .tar.xz zstd',
      goal: 0.7,
      bundle: b.dockerXz,
      flags: ['--layer-compression', 'zstd'],
      peer: xzDocker,
    },
    {
      name: 'oci .tar.xz again',
      goal: 0.15,
      bundle: b.layoutXz,
      before: b.layoutXz,
      peer: xzLayout(b.layoutXz),
    },
    {
      name: 'one of 16 changed',
      goal: 0.6,
      bundle: b.changedXz,
      before: b.layoutXz,
      peer: xzLayout(b.changedXz),
    },
    {
      name: 'bare upload loop',
      goal: 1.5,
      bundle: b.layout,
      peer: ({host}) => run(process.execPath, [bareUpload, b.layout, host]),
    },
  ]
}

interface OurReport {
  readonly totals: {
    readonly bytes: {readonly uploaded: number; readonly decoded: number; readonly scratchPeak: number}
    readonly requests: number
  }
}

async function ours(
  bundle: string,
  flags: readonly string[],
  {host, scratch}: Target,
): Promise<Measured & {report: OurReport}> {
  const flagged = [
    'push',
    '--source',
    bundle,
    '--private-registry',
    host,
    '--plain-http',
    '--json',
    '--quiet',
    '--scratch',
    scratch,
  ]
  const measured = await run(process.execPath, [mirrorProgram(), ...flagged, ...flags], {
    scratch,
    env: {XDG_STATE_HOME: stateHome},
  })
  return {...measured, report: JSON.parse(measured.stdout) as OurReport}
}

/** A fresh registry, an empty scratch directory and nothing remembered for every run. */
async function fresh<Result>(
  before: string | undefined,
  work: (target: Target) => Promise<Result>,
): Promise<Result> {
  const scratch = join(directory, 'scratch')
  await rm(scratch, {recursive: true, force: true})
  await mkdir(scratch, {recursive: true})
  await rm(stateHome, {recursive: true, force: true})
  await using registry = await startDebianRegistry()
  const target = {host: registry.host, scratch}
  if (before !== undefined) await ours(before, [], target)
  return await work(target)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`.padStart(8)
}

const bundles = await makeBundles(join(directory, `scale-${scale}`), scale)
process.stdout.write(
  `${cpus().length} processors, ${cpus()[0]?.model}; ${bundles.names.length} images, ${megabytes(bundles.plainSize).trim()} plain; median of ${pairs} pairs\n`,
)
process.stdout.write(
  'case                 ours s  peer s   ratio   goal     sent  decoded requests  memory scratch | peer memory scratch\n',
)
for (const {name, goal, bundle, flags = [], before, peer} of casesOf(bundles)) {
  if (only !== undefined && !only.some((part) => name.includes(part))) continue
  const mine: Awaited<ReturnType<typeof ours>>[] = []
  const theirs: Measured[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    mine.push(await fresh(before, (target) => ours(bundle, flags, target)))
    theirs.push(await fresh(before, peer))
  }
  const ratio = median(mine.map(({seconds}, index) => seconds / (theirs[index]?.seconds ?? Number.NaN)))
  const [first] = mine
  const {bytes, requests} = first?.report.totals ?? {
    bytes: {uploaded: 0, decoded: 0, scratchPeak: 0},
    requests: 0,
  }
  const most = (values: readonly Measured[], figure: 'peakMemory' | 'peakScratch'): string =>
    megabytes(Math.max(...values.map((value) => value[figure])))
  process.stdout.write(
    [
      name.padEnd(20),
      median(mine.map(({seconds}) => seconds))
        .toFixed(2)
        .padStart(7),
      median(theirs.map(({seconds}) => seconds))
        .toFixed(2)
        .padStart(7),
      ratio.toFixed(2).padStart(7),
      goal.toFixed(2).padStart(6),
      megabytes(bytes.uploaded),
      megabytes(bytes.decoded),
      String(requests).padStart(8),
      most(mine, 'peakMemory'),
      megabytes(bytes.scratchPeak),
      '|',
      most(theirs, 'peakMemory'),
      most(theirs, 'peakScratch'),
    ].join(' ') + '\n',
  )
}
