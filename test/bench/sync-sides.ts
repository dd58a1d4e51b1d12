import {mkdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {mirrorProgram} from '../kit/index.js'
import {run, type Measured} from './measure.js'

/** Images to mirror: where they come from, and what they are called in the source registry, `bench/app0:v1`. */
export interface Fixture {
  readonly layout: string
  readonly names: readonly string[]
}

/** A run's way: from which registry into which, and where it may write. */
export interface Way {
  readonly names: readonly string[]
  readonly source: string
  readonly target: string
  readonly directory: string
}

interface SyncReport {
  readonly totals: {
    readonly images: number
    readonly succeeded: number
    readonly bytes: {readonly uploaded: number; readonly downloaded?: number}
    readonly blobs: {readonly uploaded: number; readonly mounted: number; readonly present: number}
    readonly requests: number
  }
}

export type OurRun = Measured & {readonly report: SyncReport}

/** Fills a registry with a fixture's images, under their own names. */
export async function seed({layout}: Fixture, host: string): Promise<void> {
  const flags = ['--source', layout, '--private-registry', host, '--plain-http', '--no-state', '--quiet']
  await run(process.execPath, [mirrorProgram(), 'push', ...flags])
}

/** `mirror sync` of a list. What is remembered between runs is in the way's directory. */
export async function syncOurs(way: Way): Promise<OurRun> {
  const list = join(way.directory, 'images.txt')
  await writeFile(list, way.names.map((name) => `${way.source}/${name}\n`).join(''))
  const flags = ['--images', list, '--private-registry', way.target, '--plain-http', '--source-plain-http']
  const state = ['--state', join(way.directory, 'state')]
  const command = [mirrorProgram(), 'sync', ...flags, ...state, '--json', '--quiet']
  const measured = await run(process.execPath, command, {env: {HOME: way.directory}})
  const report = JSON.parse(measured.stdout) as SyncReport
  const {images, succeeded} = report.totals
  if (images !== way.names.length || succeeded !== images)
    throw new Error(`${succeeded} of ${way.names.length} images are there`)
  return {...measured, report}
}

/** `skopeo sync` of one YAML file that names every tag: it has to list nothing. JSON is YAML. */
export async function syncSkopeo(way: Way): Promise<Measured> {
  const list = join(way.directory, 'images.yaml')
  const images = Object.fromEntries(
    way.names.map((name) => {
      const [repository = '', tag = ''] = name.split(':')
      return [repository, [tag]]
    }),
  )
  await writeFile(list, JSON.stringify({[way.source]: {'tls-verify': false, images}}))
  const flags = ['--src', 'yaml', '--dest', 'docker', '--dest-tls-verify=false']
  const to = `${way.target}/bench`
  return run('skopeo', ['sync', ...flags, list, to], {env: {HOME: way.directory, TMPDIR: way.directory}})
}

/** An empty directory, gone again after the work. */
export async function inDirectory<Result>(
  directory: string,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  await rm(directory, {recursive: true, force: true})
  await mkdir(directory, {recursive: true})
  try {
    return await work(directory)
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}
