import {isRunning} from '@airgap-mirror/oci-client/model'
import {hostname} from 'node:os'
import type {JsonObject} from '@airgap-mirror/oci-client/model'
import type {Drawer} from './drawer.js'

interface Upload {
  readonly repository: string
  readonly key: string
}

/** Begun uploads of large blobs into a registry. Keep their locations secret: a signed location lets anyone write there. */
export interface UploadSessions {
  /** The location of one that no other run on this machine is working on. */
  find(upload: Upload): Promise<string | undefined>
  /** @returns whether a later run will find it */
  note(upload: Upload, location: string): Promise<boolean>
  forget(upload: Upload): Promise<void>
}

/** @param registry `host[:port]` */
export function uploadSessions(drawer: Drawer, registry: string): UploadSessions {
  const keyOf = ({repository, key}: Upload): string => `${registry} ${repository} ${key}`
  const owner = {host: hostname(), pid: process.pid}
  return {
    find: async (upload) => {
      const session = await drawer.getJson(keyOf(upload))
      const location = session?.['location']
      return session === undefined || typeof location !== 'string' || isAtWork(session) ? undefined : location
    },
    note: (upload, location) => drawer.put(keyOf(upload), JSON.stringify({location, ...owner})),
    forget: (upload) => drawer.remove(keyOf(upload)),
  }
}

/** Two runs in one session would cost both their time. A run on another machine cannot be seen. */
function isAtWork({host, pid}: JsonObject): boolean {
  if (host !== hostname() || pid === process.pid) return false
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 && isRunning(pid)
}
