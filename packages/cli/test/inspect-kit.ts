import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {inspectBundle} from '#src/commands/inspect/inspect-bundle.js'
import {inspectFlags} from '#src/commands/inspect/inspect-flags.js'
import type {InspectedImage, Inspection} from '#src/commands/inspect/inspection.js'
import {runAsking} from '#src/run/run-asking.js'
import {
  compress,
  tarBytes,
  withTempDir,
  type Compression,
  type Entry,
  type NamedImage,
  type TestImage,
} from '@airgap-mirror/test/kit'

/** The findings of `mirror inspect` at a path. */
export function inspectPath(
  path: string,
  {stateDirectory}: {readonly stateDirectory?: string} = {},
): Promise<Inspection> {
  const command = {name: 'inspect', flags: inspectFlags}
  return runAsking((run) => inspectBundle(path, {run, command, scratch: 'never'}), {stateDirectory})
}

/** The findings of `mirror inspect` in an archive of these entries. */
export function inspectEntries(
  entries: readonly Entry[],
  compression: Compression = {type: 'none'},
): Promise<Inspection> {
  return withTempDir(async (directory) => {
    const path = join(directory, 'bundle.tar')
    await writeFile(path, await compress(await tarBytes(entries), compression))
    const inspection = await inspectPath(path)
    return {...inspection, source: 'bundle.tar'}
  })
}

/** An image of a layout under the name that containerd, docker and this program record. */
export function named(name: string, image: TestImage, keep?: NamedImage['keep']): NamedImage {
  const annotations = {'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name}
  return {image, annotations, keep}
}

/** The image with a name. */
export function imageIn(inspection: Inspection, name: string): InspectedImage {
  const found = inspection.images.find((image) => image.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

/** The codes of the warnings, each with the names that it is about. */
export function warned({warnings}: Inspection): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(warnings.map(({code, images = []}) => [code, images]))
}
