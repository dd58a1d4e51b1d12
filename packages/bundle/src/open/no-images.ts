import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {OuterEntry} from '../contents/archive-source.js'
import {describeHead} from '../files/sniff.js'

const SHOWN = 10

/** Returns the error of an archive or directory without images, with its content. */
export function noImages(
  name: string,
  found: {
    readonly entries: readonly OuterEntry[]
    readonly count: number
    readonly isLegacy: boolean
    /** True if the archive has no end mark. */
    readonly isCutShort: boolean
  },
): MirrorError {
  if (found.count === 0) {
    return new MirrorError('SOURCE_EMPTY', `${name} is empty`, {
      side: 'source',
      advice: {kind: 'check-copied-whole'},
    })
  }
  if (found.isLegacy) {
    return new MirrorError(
      'SOURCE_UNSUPPORTED',
      `${name} is a docker-archive of docker before 1.10: it has repositories but no manifest.json`,
      {side: 'source', advice: {kind: 'save-with-current-docker'}},
    )
  }
  if (found.isCutShort) {
    return new MirrorError(
      'SOURCE_TRUNCATED',
      `${name} ends early, and no image was found in the part that is there`,
      {
        side: 'source',
        advice: {kind: 'copy-again-whole'},
      },
    )
  }
  const shown = found.entries.slice(0, SHOWN).map(({path, size, kind}) => `${path} (${kind}, ${size} bytes)`)
  const more = found.count > shown.length ? `, and ${found.count - shown.length} more` : ''
  return new MirrorError('SOURCE_UNKNOWN', `found no image in ${name}: it holds ${shown.join(', ')}${more}`, {
    side: 'source',
    advice: {kind: 'give-images'},
  })
}

/** Returns the error of a file whose plain bytes are not an archive. */
export function noArchive(name: string, head: Uint8Array): MirrorError {
  if (head.length === 0) {
    return new MirrorError('SOURCE_EMPTY', `${name} is empty`, {
      side: 'source',
      advice: {kind: 'check-copied-whole'},
    })
  }
  const isPart = /\.(?:part)?\d{3}$/.test(name)
  return new MirrorError('SOURCE_UNKNOWN', `${name} is not an archive: it ${describeHead(head)}`, {
    side: 'source',
    advice: {kind: isPart ? 'join-parts' : 'give-archive'},
  })
}
