import {tmpdir} from 'node:os'
import {formatReference, limits, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import type {MappedImage} from '../../cluster/emit/mapping.js'
import {mapName, type NamingRules} from '../../names/naming.js'
import type {EmitSettings} from './emit-settings.js'
import {readTextFile} from '../../files/read-file.js'
import {openBundleSource} from '../../run/open-bundle-source.js'
import type {Run} from '../../run/run.js'
import {defaults} from '../../settings/defaults.js'
import {readReportMapping} from './report-mapping.js'

/**
 * The images that the settings name, with their places in the private registry, and the rules that gave them.
 * @throws {MirrorError} USAGE, CONFIG_INVALID, NAME_INVALID, and what opening a bundle throws
 */
export async function readMappedImages(
  {images, rules}: EmitSettings,
  run: Run,
): Promise<{readonly images: readonly MappedImage[]; readonly rules: NamingRules}> {
  const {warn} = run
  if (images?.from === 'report') {
    const {path} = images
    const text = await readTextFile(path, {
      flag: '--report',
      limit: limits.listBytes,
      code: 'CONFIG_INVALID',
    })
    return readReportMapping(text, {name: path, rules, warn})
  }
  if (rules === undefined) throw new MirrorError('USAGE', 'missing required flag --private-registry')
  if (images === undefined) return {images: [], rules}
  const names =
    images.from === 'list' ? images.listed.map(({source}) => source) : await namesInBundle(images.path, run)
  const mapped = names.map((source) => ({source, target: mapName({name: source}, rules)}))
  warnOfShared(mapped, warn)
  return {images: mapped, rules}
}

/** The names in a bundle that a node could ask for. */
export async function namesInBundle(path: string, run: Run): Promise<readonly Reference[]> {
  const bundle = await openBundleSource(run, {
    path,
    layerCompression: defaults.layerCompression,
    scratch: {directory: tmpdir()},
  })
  const images = (await bundle.images({signal: run.stop.soon})).filter(({subject}) => subject === undefined)
  const nameless = images.filter(({name}) => name === undefined).length
  if (nameless > 0) {
    run.warn(`${nameless} of ${images.length} images in ${path} have no name that a node could ask for`)
  }
  return images.flatMap(({name}) => (name === undefined ? [] : [name]))
}

/** A push refuses two different images under one name; a list does not show whether they differ. */
function warnOfShared(images: readonly MappedImage[], warn: Run['warn']): void {
  const owners = new Map<string, Reference>()
  for (const {source, target} of images) {
    const key = formatReference(target)
    const owner = owners.get(key)
    if (owner === undefined) owners.set(key, source)
    else if (formatReference(owner) !== formatReference(source)) {
      warn(`${formatReference(owner)} and ${formatReference(source)} are both pulled from ${key}`)
    }
  }
}
