import type {RegistryClient} from '../../client/client.js'
import type {UploadSession} from './upload-session.js'
import {formatUrl, resolveLocation} from '../../http/location.js'
import {contentKey, isMirrorError, isPending, type Content, type Digest} from '../../model/index.js'

/** The saved session of one upload. */
export interface SessionJournal {
  /** Returns the session that an earlier run left behind. */
  find(): Promise<UploadSession | undefined>
  /** @returns true if a later run will find it */
  note(session: UploadSession): Promise<boolean>
  /** Saves the digest as a second key, once it is known. */
  learn(digest: Digest): Promise<void>
  forget(): Promise<void>
}

/** In bytes. Smaller blobs are faster to send again than their sessions are to check. */
const JOURNALLED_MIN = 8 * 1024 * 1024

const NONE: SessionJournal = {
  find: async () => undefined,
  note: async () => false,
  learn: async () => {},
  forget: async () => {},
}

export function sessionJournal(
  {journal, origin, uploadOrigins}: RegistryClient,
  {repository, content}: {readonly repository: string; readonly content: Content},
): SessionJournal {
  if (journal === undefined || content.size < JOURNALLED_MIN) return NONE
  // Equal compression gives equal bytes. If they differ after all, the commit fails.
  const key = isPending(content) ? `${content.diffId} ${content.mediaType}` : contentKey(content)
  const uploads = [{repository, key}]
  let noted: {readonly location: string; readonly isKept: boolean} | undefined
  return {
    find: async () => {
      const location = await journal.find({repository, key})
      if (location === undefined) return undefined
      noted = {location, isKept: true}
      try {
        const url = resolveLocation({origin, path: '/'}, location)
        // A file alone must not choose a host for content: the registry has to name any other host in this run.
        if (url.origin !== origin && !uploadOrigins.has(url.origin)) return undefined
        return {repository, url, adopted: true}
      } catch (error) {
        if (isMirrorError(error)) return undefined
        throw error
      }
    },
    note: async ({url}) => {
      const location = formatUrl(url)
      if (location === noted?.location) return noted.isKept
      const kept = await Promise.all(uploads.map((upload) => journal.note(upload, location)))
      noted = {location, isKept: kept.every(Boolean)}
      return noted.isKept
    },
    learn: async (digest) => {
      const upload = {repository, key: digest}
      uploads.push(upload)
      if (noted !== undefined) await journal.note(upload, noted.location)
    },
    forget: async () => {
      if (noted === undefined) return
      noted = undefined
      await Promise.all(uploads.map((upload) => journal.forget(upload)))
    },
  }
}
