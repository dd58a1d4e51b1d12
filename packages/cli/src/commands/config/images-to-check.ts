import {formatReference, limits, type Reference} from '@airgap-mirror/oci-client/model'
import {podImages} from '../../cluster/check/pod-images.js'
import type {CheckImages} from './check-settings.js'
import {readTextFile} from '../../files/read-file.js'
import type {Run} from '../../run/run.js'
import {namesInBundle} from './mapped-images.js'
import {readReportMapping} from './report-mapping.js'

export interface ImagesToCheck {
  /** Each once, spelt as in the place where it was read. */
  readonly names: readonly string[]
  /** The targets of images in a report, by their names; undefined for images that did not arrive. */
  readonly places: ReadonlyMap<string, Reference | undefined>
}

/**
 * The names of the images to check.
 * @throws {MirrorError} CONFIG_INVALID, LIMIT_EXCEEDED, and what opening a bundle throws
 */
export async function imagesToCheck(images: CheckImages, run: Run): Promise<ImagesToCheck> {
  if (images.from === 'list') return named(images.listed.map(({source}) => source))
  if (images.from === 'bundle') return named(await namesInBundle(images.path, run))
  if (images.from === 'report') return inReport(images.path, run.warn)
  const read = await Promise.all(images.paths.map(readPods))
  return {names: [...new Set(read.flat())], places: new Map()}
}

async function inReport(path: string, warn: (text: string) => void): Promise<ImagesToCheck> {
  const text = await readTextFile(path, {flag: '--report', limit: limits.listBytes, code: 'CONFIG_INVALID'})
  const warnings: string[] = []
  const {images, absent} = readReportMapping(text, {
    name: path,
    rules: undefined,
    warn: (warning) => warnings.push(warning),
  })
  // images that did not arrive are checked here, and not left out
  if (absent.length === 0) for (const warning of warnings) warn(warning)
  const places = new Map<string, Reference | undefined>([
    ...absent.map((source) => [formatReference(source), undefined] as const),
    ...images.map(({source, target}) => [formatReference(source), target] as const),
  ])
  return {names: [...places.keys()], places}
}

function named(references: readonly Reference[]): ImagesToCheck {
  return {names: [...new Set(references.map(formatReference))], places: new Map()}
}

async function readPods(path: string): Promise<readonly string[]> {
  const text = await readTextFile(path, {flag: '--pods', limit: limits.podListBytes, code: 'CONFIG_INVALID'})
  return podImages(text, {name: path === '-' ? 'standard input' : path})
}
