import {cpus, loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {startDebianRegistry} from '../kit/index.js'
import {makeBundles} from './bundles.js'
import {startDelayProxy} from './delay-proxy.js'
import {median, run, type Measured} from './measure.js'
import {formatKinds, requestKinds} from './request-kinds.js'
import {makeSmallImages} from './small-images.js'
import {inDirectory, seed, syncOurs, syncSkopeo, type Fixture, type OurRun, type Way} from './sync-sides.js'

/**
 * Registry to registry, against `skopeo sync`: `--pairs=N`, `--cases=large,small`, `--images=N` of the small ones, `--scale=F`
 * of the large ones, `--dir=DIRECTORY`. Each pair has empty registries; warm runs follow on what the cold one left.
 */
const args = new Map(
  process.argv.slice(2).map((text) => text.replace(/^--/, '').split('=') as [string, string]),
)
const pairs = Number(args.get('pairs') ?? 3)
const directory = args.get('dir') ?? join(tmpdir(), 'airgap-mirror-bench')
/** Warm runs are short: each pair has several, and their median counts. */
const WARM_RUNS = 3
/** Milliseconds each way. */
const DELAY = 10

/** The way to a registry, the same for both programs. */
type Reach = (host: string) => Promise<{readonly host: string} & AsyncDisposable>

interface Case {
  readonly name: string
  readonly fixture: () => Promise<Fixture>
  readonly reach: Reach
  readonly goals: {
    readonly cold: number
    readonly warm?: number
    readonly perTag?: number
    readonly overNode?: number
  }
}

interface Pair {
  readonly cold: {readonly ours: OurRun; readonly peer: Measured; readonly requests: string}
  readonly warm: {
    readonly ours: readonly OurRun[]
    /** The start of Node.js alone, right after each run. */
    readonly node: readonly number[]
    readonly peer: Measured
    readonly requests: string
    readonly perTag: number
  }
}

const cases: readonly Case[] = [
  {
    name: 'large',
    fixture: async () => {
      const scale = Number(args.get('scale') ?? 1)
      const {layout, names} = await makeBundles(join(directory, `scale-${scale}`), scale)
      return {layout, names: names.map((name) => name.replace('docker.io/', ''))}
    },
    reach: async (host) => ({host, [Symbol.asyncDispose]: async () => {}}),
    goals: {cold: 0.6, overNode: 0.3},
  },
  {
    name: 'small',
    fixture: () => makeSmallImages(join(directory, 'small'), Number(args.get('images') ?? 200)),
    reach: (host) => startDelayProxy(host, {milliseconds: DELAY}),
    goals: {cold: 0.1, warm: 0.06, perTag: 2},
  },
]

async function withTarget<Result>(
  {reach, ...way}: Omit<Way, 'target'> & {readonly reach: Reach},
  work: (way: Way, log: () => string) => Promise<Result>,
): Promise<Result> {
  await using target = await startDebianRegistry()
  await using door = await reach(target.host)
  return await inDirectory(way.directory, () => work({...way, target: door.host}, () => target.log))
}

/** The requests that the work makes, by what access logs say; they reach us a moment later. */
async function logged<Result>(
  logs: readonly (() => string)[],
  work: () => Promise<Result>,
): Promise<{readonly result: Result; readonly kinds: ReadonlyMap<string, number>}> {
  const counted = async (): Promise<ReadonlyMap<string, number>> => {
    await setTimeout(200)
    return requestKinds(logs.map((log) => log()).join('\n'))
  }
  const before = await counted()
  const result = await work()
  const after = await counted()
  const kinds = [...after].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
  return {result, kinds: new Map(kinds.filter(([, count]) => count > 0))}
}

async function measureOurs(
  way: Way,
  logs: readonly (() => string)[],
): Promise<{
  readonly cold: Omit<Pair['cold'], 'peer'>
  readonly warm: Omit<Pair['warm'], 'peer'>
}> {
  const cold = await logged(logs, () => syncOurs(way))
  const warm: Awaited<ReturnType<typeof logged<OurRun>>>[] = []
  const node: number[] = []
  for (let count = 0; count < WARM_RUNS; count += 1) {
    warm.push(await logged(logs, () => syncOurs(way)))
    node.push((await run(process.execPath, ['-e', '0'])).seconds)
  }
  const kinds = warm[0]?.kinds ?? new Map<string, number>()
  const all = [...kinds.values()].reduce((sum, each) => sum + each, 0)
  return {
    cold: {ours: cold.result, requests: formatKinds(cold.kinds)},
    warm: {
      ours: warm.map(({result}) => result),
      node,
      requests: formatKinds(kinds),
      perTag: all / way.names.length,
    },
  }
}

async function comparePairs({fixture, reach}: Case): Promise<readonly Pair[]> {
  const given = await fixture()
  await using registry = await startDebianRegistry()
  await seed(given, registry.host)
  await using source = await reach(registry.host)
  const way = {names: given.names, source: source.host, directory: join(directory, 'sync'), reach}
  const compared: Pair[] = []
  for (let pair = 0; pair < pairs; pair += 1) {
    const {cold, warm} = await withTarget(way, (own, log) => measureOurs(own, [() => registry.log, log]))
    compared.push(
      await withTarget(way, async (own) => ({
        cold: {...cold, peer: await syncSkopeo(own)},
        warm: {...warm, peer: await syncSkopeo(own)},
      })),
    )
  }
  return compared
}

function secondsOf(runs: readonly Measured[]): number {
  return median(runs.map(({seconds}) => seconds))
}
function mebibytes(runs: readonly Measured[]): string {
  return `${(Math.max(...runs.map(({peakMemory}) => peakMemory)) / 1_048_576).toFixed(0)} MiB`
}

function against(seen: number, goal: number | undefined): string {
  return goal === undefined ? seen.toFixed(3) : `${seen.toFixed(3)} (goal ${goal})`
}

function tell({name, goals}: Case, compared: readonly Pair[]): void {
  const [first] = compared
  if (first === undefined) return
  const cold = compared.map((pair) => pair.cold)
  const warm = compared.map((pair) => pair.warm)
  const coldRatio = median(cold.map(({ours, peer}) => ours.seconds / peer.seconds))
  const warmRatio = median(warm.map(({ours, peer}) => secondsOf(ours) / peer.seconds))
  const overNode = median(
    warm.flatMap(({ours, node}) => ours.map(({seconds}, at) => seconds - (node[at] ?? Number.NaN))),
  )
  const {totals} = first.cold.ours.report
  const uploaded = `${(totals.bytes.uploaded / 1e6).toFixed(0)} MB, ${totals.blobs.uploaded} blobs, ${totals.blobs.mounted} mounted`
  const lines = [
    `${name}: ${totals.images} images, ${uploaded}`,
    `  cold  ours ${secondsOf(cold.map(({ours}) => ours)).toFixed(2)} s, skopeo ${secondsOf(cold.map(({peer}) => peer)).toFixed(2)} s, ratio ${against(coldRatio, goals.cold)}`,
    `        memory ${mebibytes(cold.map(({ours}) => ours))}, skopeo ${mebibytes(cold.map(({peer}) => peer))}`,
    `        ${totals.requests} requests: ${first.cold.requests}`,
    `  warm  ours ${secondsOf(warm.flatMap(({ours}) => ours)).toFixed(2)} s, skopeo ${secondsOf(warm.map(({peer}) => peer)).toFixed(2)} s, ratio ${against(warmRatio, goals.warm)}`,
    `        ${against(overNode, goals.overNode)} s more than node -e 0`,
    `        memory ${mebibytes(warm.flatMap(({ours}) => ours))}, skopeo ${mebibytes(warm.map(({peer}) => peer))}`,
    `        ${against(first.warm.perTag, goals.perTag)} requests a tag: ${first.warm.requests}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

const only = args.get('cases')?.split(',')
process.stdout.write(
  `${cpus().length} processors, ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}; medians of ${pairs} pairs\n`,
)
for (const each of cases) {
  if (only === undefined || only.includes(each.name)) tell(each, await comparePairs(each))
}
