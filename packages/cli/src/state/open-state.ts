import {lstat} from 'node:fs/promises'
import {join} from 'node:path'
import {ifAbsent, makeDirectory, messageOf, type JsonObject} from '@airgap-mirror/oci-client/model'
import type {KnownLayers} from '../engine/known-layers.js'
import type {KnownTags} from '../engine/known-tags.js'
import {Drawer, type DrawerBounds} from './drawer.js'
import {problemWithDirectory, problemWithOwn} from './own-directory.js'
import {layerMemory} from './layer-memory.js'
import {openTagLedger} from './tag-ledger.js'
import {uploadSessions, type UploadSessions} from './upload-sessions.js'

/** The saved state that runs share. It may be deleted at any time: that costs time, and tags made before are not pruned. */
export interface State {
  /** Begun uploads into a registry, `host[:port]`. */
  uploads(registry: string): UploadSessions
  readonly layers: KnownLayers
  readonly hosts: {
    /** Resolves to an earlier run's knowledge of a registry. */
    load(registry: string): Promise<JsonObject | undefined>
    save(registry: string, knowledge: object): Promise<void>
  }
  readonly indexes: {
    load(key: string): Promise<Uint8Array | undefined>
    save(key: string, bytes: Uint8Array): Promise<void>
  }
  /**
   * Resolves to the saved tags of a registry, `HOST[:PORT]`, read from disk at every call. Hold the registry's lock: if two
   * runs change it at once, the changes of one are lost.
   */
  tags(registry: string): Promise<KnownTags>
}

export interface StateOptions {
  /** Undefined: no state. */
  readonly directory: string | undefined
  /** The version of the compressor: layers that another one made are not remembered. */
  readonly layerFormat: number
  /** Called with the reason why saved state is not used, printable. */
  readonly onNote: (text: string) => void
}

const DAY = 86_400_000
const KiB = 1024
const MiB = 1024 * KiB

/** Each kind with the reason for its bounds. */
const drawers = {
  // Registries purge uploads after a week (distribution's default).
  uploads: {entries: 1000, entryBytes: 64 * KiB, maxAge: 7 * DAY},
  // A kilobyte each on disk, and four in the file system's blocks.
  layers: {entries: 10_000, entryBytes: 4 * KiB, maxAge: 365 * DAY},
  // Registries are upgraded, and proxies in front of them changed.
  hosts: {entries: 200, entryBytes: 4 * KiB, maxAge: 7 * DAY},
  // Some 50 KiB for a bundle of fifty images, a few MiB for one of ten thousand.
  indexes: {entries: 20, entryBytes: 32 * MiB, maxAge: 90 * DAY},
} satisfies Record<string, DrawerBounds>

/** Never rejects: state that cannot be used is told as a note, and the run goes on without it. */
export async function openState(options: StateOptions): Promise<State | undefined> {
  const {directory, layerFormat, onNote} = options
  if (directory === undefined) return undefined
  const root = join(directory, 'v1')
  const problem = await problemWith(root)
  if (problem !== undefined) {
    onNote(`running without saved state: cannot use ${directory}: ${problem}`)
    return undefined
  }
  const troubleIn =
    (path: string) =>
    (text: string): void =>
      onNote(`the saved state in ${path} is used only in part: ${text}`)
  const open = (name: keyof typeof drawers): Drawer => {
    const path = join(root, name)
    return new Drawer(path, {...drawers[name], onTrouble: troubleIn(path)})
  }
  const uploads = open('uploads')
  const hosts = open('hosts')
  const indexes = open('indexes')
  return {
    uploads: (registry) => uploadSessions(uploads, registry),
    layers: layerMemory(open('layers'), layerFormat),
    hosts: hostMemory(hosts),
    indexes: {
      load: (key) => indexes.get(key),
      save: async (key, bytes) => void (await indexes.put(key, bytes)),
    },
    tags: (registry) => {
      const path = join(root, 'tags')
      return openTagLedger(path, {target: registry, onTrouble: troubleIn(`${path}, of ${registry},`)})
    },
  }
}

/** Another user who may write here could send uploads elsewhere and have tags pruned, so it has to be ours alone. */
async function problemWith(root: string): Promise<string | undefined> {
  try {
    await makeDirectory(root, {mode: 0o700}).catch(async (error: unknown) => {
      // The directory may exist on a disk that is read-only now.
      await lstat(root).catch(() => {
        throw error
      })
    })
    const problem = await problemWithDirectory(root)
    if (problem !== undefined) return problem
    for (const name of [...Object.keys(drawers), 'tags', 'locks']) {
      const stats = await lstat(join(root, name)).catch(ifAbsent)
      const why = stats === undefined ? undefined : problemWithOwn(stats)
      if (why !== undefined) return `${name} in it: ${why}`
    }
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function hostMemory(drawer: Drawer): State['hosts'] {
  const loaded = new Map<string, string>()
  return {
    load: async (registry) => {
      const known = await drawer.getJson(registry)
      if (known !== undefined) loaded.set(registry, JSON.stringify(known))
      return known
    },
    save: async (registry, knowledge) => {
      const text = JSON.stringify(knowledge)
      // Written only if something is new, so that old knowledge keeps its age.
      if (text !== loaded.get(registry)) await drawer.put(registry, text)
    },
  }
}
