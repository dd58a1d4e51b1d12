import {tmpdir} from 'node:os'
import type {SignatureKey} from '@airgap-mirror/bundle'
import {ScratchRoom} from '@airgap-mirror/bundle/internal'
import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {readTextFile} from '../../files/read-file.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {stateDirectory} from '../../settings/output-settings.js'
import {readVerifyKey} from '../../settings/signature-settings.js'
import {parseSize} from '../../text/parse-quantity.js'
import {parseHtpasswd, type Guard} from './htpasswd.js'

/** The settings of a server, read and checked. */
export interface ServeSettings {
  readonly sources: readonly string[]
  /** The directory for pushes. Absent: the server is read-only. */
  readonly writable: string | undefined
  readonly address: {readonly host: string | undefined; readonly port: number}
  /** Absent: plain HTTP, which was asked for. */
  readonly tls: {readonly cert: Buffer; readonly key: Buffer} | undefined
  /** Absent: everybody may read and, if it is writable, push. */
  readonly guard: Guard | undefined
  readonly verifyKey: SignatureKey | undefined
  readonly verbose: boolean
  /** All bundles share the room. */
  readonly scratch: {readonly directory: string; readonly room?: ScratchRoom} | 'never'
  readonly stateDirectory: string | undefined
}

const DEFAULT_ADDRESS = ':5000'

/**
 * Reads and checks the flags of a server, and the files they name.
 * @throws {MirrorError} USAGE, CERTIFICATE_INVALID, CREDENTIALS_INVALID, KEY_INVALID, LIMIT_EXCEEDED
 */
export async function readServeSettings(flags: FlagValues): Promise<ServeSettings> {
  const read = flagReader(flags)
  const {text, list, on, parsed} = read
  const sources = list('source')
  const writable = text('writable')
  if (sources.length === 0 && writable === undefined) {
    throw new MirrorError('USAGE', 'there is nothing to serve', {
      hint: 'Give --source BUNDLE, once or more often, or --writable DIR.',
    })
  }
  if (sources.includes('-')) {
    throw new MirrorError('USAGE', '--source - cannot be served, because nodes read a bundle in any order', {
      hint: 'Give the bundle as a file or a directory.',
    })
  }
  const htpasswd = text('htpasswd')
  const size = parsed('scratch-size', parseSize)
  const room = size === undefined ? undefined : new ScratchRoom(size)
  return {
    sources,
    writable,
    address: parseAddress(text('listen') ?? DEFAULT_ADDRESS),
    tls: on('plain-http') ? undefined : await readTls(text('tls-cert'), text('tls-key')),
    guard: htpasswd === undefined ? undefined : await readHtpasswd(htpasswd),
    verifyKey: await readVerifyKey(read, sources[0]),
    verbose: on('verbose'),
    scratch: on('no-scratch') ? 'never' : {directory: text('scratch') ?? tmpdir(), room},
    stateDirectory: stateDirectory(read),
  }
}

async function readHtpasswd(path: string): Promise<Guard> {
  const text = await readTextFile(path, {
    flag: '--htpasswd',
    limit: limits.credentialFileBytes,
    code: 'CREDENTIALS_INVALID',
  })
  return parseHtpasswd(text, path)
}

/** Parses `[ADDRESS]:PORT`; an IPv6 address stands in brackets. */
function parseAddress(text: string): ServeSettings['address'] {
  const {
    six,
    host = '',
    port = '',
  } = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]/]*)):(?<port>\d{1,5})$/.exec(text)?.groups ?? {}
  if (port === '' || Number(port) > 65_535) {
    throw new MirrorError('USAGE', `--listen ${JSON.stringify(text)} is not [ADDRESS]:PORT`, {
      hint: 'Write for example --listen :5000 or --listen 192.0.2.1:5000.',
    })
  }
  const address = six ?? host
  return {host: address === '' ? undefined : address, port: Number(port)}
}

async function readTls(cert: string | undefined, key: string | undefined): Promise<ServeSettings['tls']> {
  if (cert === undefined && key === undefined) {
    throw new MirrorError('USAGE', 'a server without TLS has to be asked for', {
      hint: 'Give --tls-cert FILE with --tls-key FILE, or --plain-http.',
    })
  }
  if (cert === undefined || key === undefined) {
    throw new MirrorError('USAGE', `--tls-${cert === undefined ? 'key' : 'cert'} needs its counterpart`, {
      hint: 'Give both --tls-cert FILE and --tls-key FILE.',
    })
  }
  return {cert: await pem(cert, '--tls-cert'), key: await pem(key, '--tls-key')}
}

async function pem(path: string, flag: string): Promise<Buffer> {
  return Buffer.from(
    await readTextFile(path, {flag, limit: limits.certificateBytes, code: 'CERTIFICATE_INVALID'}),
  )
}
