import {
  formatReference,
  isDigest,
  MirrorError,
  parseReference,
  type Reference,
  type Side,
} from '@airgap-mirror/oci-client/model'

/** A side of a copy, as it was written. */
export type Place = RegistryPlace | FilePlace

export interface RegistryPlace {
  readonly transport: 'docker'
  /** With a tag, a digest or both: `latest` where neither was written. */
  readonly reference: Reference
  /** The name of the image in reports, as in other commands. */
  readonly text: string
}

export interface FilePlace {
  readonly transport: (typeof FILE_TRANSPORTS)[number]
  readonly path: string
  /** The text behind the path. Its meaning depends on the transport and the side. */
  readonly ref: string | undefined
  /** As it was written. */
  readonly text: string
}

const FILE_TRANSPORTS = ['oci', 'oci-archive', 'docker-archive', 'dir'] as const
/** Transports of skopeo that this program does not support. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'containers-storage',
  'docker-daemon',
  'ostree',
  'sif',
  'storage',
  'tarball',
])
const NOTATION =
  'docker://HOST/NAME[:TAG|@DIGEST], oci:PATH[:REF], oci-archive:PATH[:REF], docker-archive:PATH[:REF] or dir:PATH'

/**
 * Reads skopeo's notation: `docker://NAME`, `oci:PATH[:REF]`, `oci-archive:`, `docker-archive:`, `dir:PATH`.
 * @throws {MirrorError} USAGE, NAME_INVALID
 */
export function parsePlace(text: string, side: Side): Place {
  const colon = text.indexOf(':')
  const transport = colon < 0 ? '' : text.slice(0, colon)
  const rest = text.slice(colon + 1)
  if (transport === 'docker') return registryPlace(rest, side)
  const known = FILE_TRANSPORTS.find((one) => one === transport)
  if (known !== undefined) return filePlace(known, rest, {side, text})
  if (ELSEWHERE.has(transport)) {
    throw usage(side, `the transport ${transport}: is not supported`, `Use ${NOTATION}.`)
  }
  throw usage(side, 'the notation names no transport', `Write ${NOTATION}.`)
}

/** A side as a report may repeat it, without the part before an @ that no digest follows, which may be a login. */
export function shownPlace(text: string): string {
  const at = text.startsWith('docker:') ? text.indexOf('@') : -1
  return at < 0 || isDigest(text.slice(at + 1)) ? text : 'docker://'
}

function registryPlace(rest: string, side: Side): RegistryPlace {
  const name = rest.startsWith('//') ? rest.slice(2) : undefined
  if (name === undefined)
    throw usage(side, 'docker: is not followed by //', 'Write docker://HOST/NAME[:TAG|@DIGEST].')
  const at = name.indexOf('@')
  // The part before it may be a password, so the message does not repeat the value.
  if (at >= 0 && !isDigest(name.slice(at + 1))) {
    throw usage(
      side,
      'the name has an @ that no sha256 or sha512 digest follows',
      `A login is not part of a name: give it by --${side === 'source' ? 'source-' : ''}username.`,
    )
  }
  const parsed = parseReference(name)
  const reference =
    parsed.tag === undefined && parsed.digest === undefined ? {...parsed, tag: 'latest'} : parsed
  return {transport: 'docker', reference, text: formatReference(reference)}
}

function filePlace(
  transport: FilePlace['transport'],
  rest: string,
  {side, text}: {readonly side: Side; readonly text: string},
): FilePlace {
  // As skopeo does: a path in front of a REF has no colon in it, and a directory has no REF.
  const colon = transport === 'dir' ? -1 : rest.indexOf(':')
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const ref = colon < 0 ? '' : rest.slice(colon + 1)
  if (path === '') throw usage(side, `${transport}: is followed by no path`, `Write ${NOTATION}.`)
  if (path.includes('\0')) throw usage(side, 'a path cannot have a zero byte in it', `Write ${NOTATION}.`)
  if (path === '-' && side === 'target') {
    throw usage(
      side,
      'an image cannot be written to standard output: its parts are not known in the order of the file',
      'Name a file.',
    )
  }
  return {
    transport,
    path,
    text,
    ref: ref === '' ? undefined : side === 'target' ? targetRef(transport, ref) : ref,
  }
}

/** The values that image-spec allows in `org.opencontainers.image.ref.name`, see containers-transports(5); docker-archive has names. */
function targetRef(transport: FilePlace['transport'], ref: string): string {
  if (transport === 'docker-archive') return repoTag(ref)
  if (ref.length <= 1024 && REF_NAME.test(ref)) return ref
  throw usage(
    'target',
    `${JSON.stringify(ref.slice(0, 200))} is not a name that an OCI layout takes`,
    'Letters and digits, with single - . _ : @ + or / between them.',
  )
}

const COMPONENT = /[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*/.source
const REF_NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)

function repoTag(ref: string): string {
  const reference = parseReference(ref)
  if (reference.digest !== undefined) {
    throw usage('target', 'a docker-archive has no digests, only tags', 'Name the image with a tag.')
  }
  return formatReference({...reference, tag: reference.tag ?? 'latest'})
}

function usage(side: Side, message: string, hint: string): MirrorError {
  return new MirrorError('USAGE', `${side === 'source' ? 'SRC' : 'DST'}: ${message}`, {side, hint})
}
