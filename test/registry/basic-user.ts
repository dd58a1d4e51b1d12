import {timingSafeEqual} from 'node:crypto'
import type {RegistryUser} from './options.js'

/** The user whose Basic credentials these are. A password may have colons, a name not. */
export function basicUser(
  authorization: string | undefined,
  users: readonly RegistryUser[],
): RegistryUser | undefined {
  const [scheme, value] = (authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'basic' || value === undefined) return undefined
  const given = Buffer.from(value, 'base64')
  return users.find(({name, password}) => {
    const expected = Buffer.from(`${name}:${password}`)
    return expected.length === given.length && timingSafeEqual(expected, given)
  })
}
