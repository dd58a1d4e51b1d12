import {createHash} from 'node:crypto'
import {compare} from 'bcryptjs'
import {MirrorError} from '@airgap-mirror/oci-client/model'

/** Returns true if an Authorization header has a user's password. */
export type Guard = (authorization: string | undefined) => Promise<boolean>

/** bcrypt has 2^4 to 2^31 rounds. */
const LINE = /^(?<user>[^:]+):(?<hash>\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53})$/
/** The hash of no password, so that an unknown user takes as long as a known one. */
const NONE = '$2b$10$abcdefghijklmnopqrstuuTCEuBxT6Uh6HtQmeCWcMgfZAEGfXeDW'

/**
 * Parses an htpasswd file with bcrypt hashes, as `htpasswd -B` writes it. The path is for messages.
 * @throws {MirrorError} CREDENTIALS_INVALID for another kind of hash, which would be a weak one
 */
export function parseHtpasswd(text: string, path: string): Guard {
  const users = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const {user, hash} = LINE.exec(line.trim())?.groups ?? {}
    if (user === undefined || hash === undefined) {
      throw new MirrorError('CREDENTIALS_INVALID', `line ${index + 1} of ${path} has no bcrypt hash`, {
        hint: 'Make it with "htpasswd -B".',
      })
    }
    users.set(user, hash)
  }
  return guardOf(users)
}

function guardOf(users: ReadonlyMap<string, string>): Guard {
  // A check takes a tenth of a second, and clients log in with each request.
  const proven = new Set<string>()
  return async (authorization) => {
    const encoded = /^basic (?<encoded>[A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.groups?.['encoded']
    if (encoded === undefined) return false
    const login = Buffer.from(encoded, 'base64').toString('utf8')
    const key = createHash('sha256').update(login).digest('hex')
    if (proven.has(key)) return true
    const colon = login.indexOf(':')
    const hash = users.get(login.slice(0, Math.max(0, colon)))
    const fits = await compare(login.slice(colon + 1), hash ?? NONE)
    if (colon < 0 || hash === undefined || !fits) return false
    proven.add(key)
    return true
  }
}
