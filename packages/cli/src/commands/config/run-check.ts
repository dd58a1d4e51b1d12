import {formatReference, isMirrorError, messageOf, type Reference} from '@airgap-mirror/oci-client/model'
import pLimit from 'p-limit'
import {checkImage, type CheckedImage} from '../../cluster/check/check-images.js'
import {checkJson, checkLines, checkResult} from '../../cluster/check/check-output.js'
import {parseManifestUrl, placeIn} from '../../cluster/check/manifest-url.js'
import type {Holds} from '../../cluster/check/judge.js'
import {explainer} from '../../cluster/explain/explain.js'
import {readNodeFiles} from '../../cluster/files/read-node-files.js'
import type {ExitCode} from '../../report/exit-code.js'
import {openTarget} from '../../run/open-target.js'
import {runAsking} from '../../run/run-asking.js'
import type {Run} from '../../run/run.js'
import {readCheckSettings, type CheckSettings} from './check-settings.js'
import {defaults} from '../../settings/defaults.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {passwordWarnings} from '../../settings/registry-settings.js'
import {jsonText, printable} from '../../text/printable.js'
import {imagesToCheck, type ImagesToCheck} from './images-to-check.js'

/**
 * Writes the result to standard output.
 * @returns 4 unless every image comes from the mirror
 * @throws {MirrorError} USAGE, CONFIG_INVALID, LIMIT_EXCEEDED, and what reading the images and asking the registry throw
 */
export async function runConfigCheck(flags: FlagValues): Promise<ExitCode> {
  const settings = await readCheckSettings(flags)
  const check = async (run: Run): Promise<readonly CheckedImage[]> => {
    for (const text of passwordWarnings(flags)) run.warn(text)
    return checkAll(settings, {run, images: await imagesToCheck(settings.images, run)})
  }
  const images = await runAsking(check, {timeout: settings.timeout})
  const result = checkResult(images)
  process.stdout.write(
    settings.json
      ? `${jsonText(checkJson(result), 2)}\n`
      : checkLines(result)
          .map((line) => `${printable(line)}\n`)
          .join(''),
  )
  return images.every(({status}) => status === 'from-mirror') ? 0 : 4
}

async function checkAll(
  {files, as, registry, registrySettings}: CheckSettings,
  {run, images}: {readonly run: Run; readonly images: ImagesToCheck},
): Promise<readonly CheckedImage[]> {
  const explain = explainer({files: readNodeFiles(files, {as: as?.runtime.name}), as})
  const asked = registry === undefined ? undefined : await asking(run, {registry, settings: registrySettings})
  const atOnce = pLimit(registrySettings.concurrency ?? defaults.concurrency)
  return Promise.all(
    images.names.map((name) => {
      const told = images.places.has(name) ? wentTo(images.places.get(name)) : undefined
      const holds = asked ?? told
      return atOnce(() => checkImage(name, {explain, holds}))
    }),
  )
}

/** Asks the mirror for the manifest that a node would ask for, with the flags' certificates and login. */
async function asking(
  run: Run,
  {
    registry: name,
    settings,
  }: {readonly registry: string; readonly settings: CheckSettings['registrySettings']},
): Promise<Holds> {
  const registry = await openTarget(run, {registry: name, settings})
  await registry.ping({signal: run.stop.soon})
  return async (url) => {
    const asked = parseManifestUrl(url)
    if (asked === undefined) return `${url} is not below /v2/, where the mirror could be asked`
    if (!placeIn(asked, name)) return `${asked.registry} is asked, which is not ${name}`
    try {
      return (await registry.resolve({...asked, registry: name}, {signal: run.stop.soon})) !== undefined
    } catch (error) {
      if (!isMirrorError(error) || run.stop.soon.aborted) throw error
      return messageOf(error)
    }
  }
}

/** Compares with the place where a report says that the image went. */
function wentTo(place: Reference | undefined): Holds {
  if (place === undefined) return async () => 'the report says that it did not arrive'
  return async (url) => {
    const asked = parseManifestUrl(url)
    const isThere =
      asked !== undefined &&
      placeIn(asked, place.registry) &&
      asked.repository === place.repository &&
      (asked.tag === undefined ? asked.digest === place.digest : asked.tag === place.tag)
    return isThere || `the image went to ${formatReference(place)}, not there`
  }
}
