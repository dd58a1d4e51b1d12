import {hashSync} from 'bcryptjs'
import {expect, test} from 'vitest'
import {parseHtpasswd} from '#src/commands/serve/htpasswd.js'

const HASH = hashSync('se:cret', 4)
function basic(login: string): string {
  return `Basic ${Buffer.from(login).toString('base64')}`
}

test('a user of the htpasswd file gets in with the right password alone', async () => {
  const guard = parseHtpasswd(`# readers\n\nreader:${HASH}\r\n`, 'users')
  expect(await guard(basic('reader:se:cret'))).toBe(true)
  expect(await guard(basic('reader:se:cret'))).toBe(true)
  for (const login of ['reader:se', 'reader:', 'other:se:cret', 'reader', ':se:cret', ''])
    expect(await guard(basic(login))).toBe(false)
  for (const header of [undefined, 'Bearer abc', 'Basic', 'Basic %%%'])
    expect(await guard(header)).toBe(false)
})

test.each([
  ['a hash of MD5', 'reader:$apr1$5JDfAzmC$q2EgVIlQTgyTs7MNK4a6W0'],
  ['a plain password', 'reader:secret'],
  ['no user', `:${HASH}`],
  ['more rounds than bcrypt has', `reader:${HASH.replace('$04$', '$99$')}`],
])('an htpasswd file with %s is refused by its line', (_what, line) => {
  expect(() => parseHtpasswd(`ok:${HASH}\n${line}\n`, 'users')).toThrow('line 2 of users has no bcrypt hash')
})
