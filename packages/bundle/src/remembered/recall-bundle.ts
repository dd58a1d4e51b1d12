import {messageOf} from '@airgap-mirror/oci-client/model'
import {BundleMemory} from './bundle-memory.js'
import {decodeMemory, encodeMemory} from './encode-memory.js'
import {fileIdentity} from './file-identity.js'

/** Keeps bytes under keys. A lost entry costs only time. Keys are text of some hundred characters. */
export interface IndexCache {
  load(key: string): Promise<Uint8Array | undefined>
  save(key: string, bytes: Uint8Array): Promise<void>
}

export interface RecalledBundle {
  readonly memory: BundleMemory
  /** Returns true if the file is still the same as when `memory` was recalled. */
  isSame(): Promise<boolean>
  /** Keeps new findings, unless there are none or the file has changed meanwhile. Never rejects. */
  save(): Promise<void>
}

export interface RecallOptions {
  readonly indexCache?: IndexCache
  readonly onNote?: (text: string) => void
}

/**
 * Returns the remembered findings about this very file, empty if there are none; undefined if nothing can be kept about
 * it.
 */
export async function recallBundle(
  path: string,
  {indexCache, onNote}: RecallOptions,
): Promise<RecalledBundle | undefined> {
  const identity = indexCache === undefined || path === '-' ? undefined : await fileIdentity(path)
  if (indexCache === undefined || identity === undefined) return undefined
  const {key, isSettled} = identity
  const tolerating = async <Result>(work: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await work()
    } catch (error) {
      onNote?.(`the saved index of ${path} is not used: ${messageOf(error)}`)
      return undefined
    }
  }
  const packed = await tolerating(() => indexCache.load(key))
  const memory = (packed === undefined ? undefined : await decodeMemory(packed)) ?? new BundleMemory()
  const isSame = async (): Promise<boolean> => (await fileIdentity(path))?.key === key
  return {
    memory,
    isSame,
    save: async () => {
      if (!memory.hasGrown || !isSettled || !(await isSame())) return
      const bytes = await encodeMemory(memory)
      if (bytes !== undefined) await tolerating(() => indexCache.save(key, bytes))
    },
  }
}
