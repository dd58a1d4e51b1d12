import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  compress,
  faultsOfReport,
  ociLayout,
  runMirror,
  tarBytes,
  type ChildResult,
  type Compression,
  type Entry,
  type NamedImage,
  type RunMirrorOptions,
  type TestImage,
} from '@airgap-mirror/test/kit'
import type {TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'

/** The report as a script reads it: only what the tests look at. */
export interface ReadReport {
  readonly warnings?: readonly string[]
  readonly schema: string
  readonly version: string
  readonly exitCode: number
  readonly command: string
  readonly source: string
  readonly target: string
  readonly outcome: string
  readonly totals: {
    readonly images: number
    readonly succeeded: number
    readonly failed: number
    readonly blobs: {readonly uploaded: number; readonly mounted: number; readonly present: number}
    readonly bytes: Readonly<
      Record<'uploaded' | 'present' | 'mounted' | 'decoded' | 'scratchPeak', number>
    > & {
      readonly toSend?: number
    }
    readonly requests: number
    readonly retries: number
  }
  readonly shard?: {
    readonly index: number
    readonly count: number
    readonly by?: string
    readonly plan?: string
  }
  readonly images: readonly {
    readonly source: string
    readonly target: string
    readonly status: string
    readonly sourceDigest?: string
    readonly targetDigest?: string
    readonly digestChanged: boolean
    readonly durationMs?: number
    readonly job?: string
    readonly reason?: string
    readonly bytesUploaded: number
    readonly bytesToSend?: number
    readonly error?: {readonly code: string; readonly message: string; readonly hint?: string}
  }[]
}

export interface PushOptions extends RunMirrorOptions {
  readonly source: string
  readonly registry: {readonly host: string; readonly url: string}
  readonly namespace?: string
  readonly flags?: readonly string[]
}

export interface PushResult extends ChildResult {
  /** @throws where standard output was no report */
  readonly report: ReadReport
}

/** `mirror push --json` of a bundle; `--plain-http` goes with a registry that speaks it. */
export async function push({
  source,
  registry,
  namespace,
  flags = [],
  ...options
}: PushOptions): Promise<PushResult> {
  const target = namespace === undefined ? registry.host : `${registry.host}/${namespace}`
  const result = await runMirror(
    argv`push --source ${source} --private-registry ${target} --json
      ${registry.url.startsWith('http:') ? ['--plain-http'] : []} ${flags}`,
    options,
  )
  return {
    ...result,
    get report() {
      return parseReport(result)
    },
  }
}

export function parseReport({
  stdout,
  stderr,
}: {
  readonly stdout: string
  readonly stderr: string
}): ReadReport {
  let report: ReadReport
  try {
    report = JSON.parse(stdout) as ReadReport
  } catch (cause) {
    throw new Error(`no report on standard output:\n${stdout}\nstandard error:\n${stderr}`, {cause})
  }
  const faults = faultsOfReport(report)
  if (faults.length > 0) throw new Error(`the report is not as its schema says:\n${faults.join('\n')}`)
  return report
}

/** The lines that standard error has of one side's errors. */
export function errorsOf(side: 'source' | 'target', stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith(`error: ${side}: `))
    .join('\n')
}

/** An image under the name that containerd, nerdctl and docker would record. */
export function named(name: string, image: TestImage): NamedImage {
  return {
    image,
    annotations: {'io.containerd.image.name': name},
  }
}

/** A bundle file of these entries. */
export async function writeBundle(
  path: string,
  entries: readonly Entry[],
  compression: Compression = {type: 'none'},
): Promise<string> {
  await writeFile(path, await compress(await tarBytes(entries), compression))
  return path
}

/** An OCI layout of these images as `bundle.tar` in a directory. */
export function writeOciBundle(directory: string, images: readonly NamedImage[]): Promise<string> {
  return writeBundle(join(directory, 'bundle.tar'), ociLayout(images))
}

/** Returns a registry's faults after a run: tags without content, content that came after its tag, open sessions. */
export function faultsIn(registry: TestRegistry): readonly string[] {
  return [
    ...registry.fsck(),
    ...registry.violations,
    ...(registry.openUploads === 0 ? [] : [`${registry.openUploads} upload sessions were left open`]),
  ]
}
