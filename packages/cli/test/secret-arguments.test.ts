import {afterEach, expect, test} from 'vitest'
import {childEnvironment} from '#src/settings/environment.js'
import {passwordWarnings} from '#src/settings/registry-settings.js'

const before = {...process.env}
afterEach(() => {
  process.env = {...before}
})

test.each([
  'MIRROR_PASSWORD',
  'MIRROR_SOURCE_PASSWORD',
  'MIRROR_PROXY',
  'MIRROR_SOURCE_PROXY',
  'MIRROR_NOTIFY_COMMAND',
])('A program that is started does not get %s', (name) => {
  process.env[name] = 'hunter2'
  process.env['MIRROR_USERNAME'] = 'someone'
  expect(JSON.stringify(childEnvironment())).not.toContain('hunter2')
  expect(childEnvironment()).toMatchObject({MIRROR_USERNAME: 'someone', PATH: before['PATH']})
})

test.each([
  [{proxy: 'http://p:hunter2@proxy.example:3128'}, '--proxy'],
  [{proxy: 'p:hunter2@proxy.example:3128'}, '--proxy'],
  [{'source-proxy': 'http://p:hunter2@proxy.example'}, '--source-proxy'],
  [{password: 'hunter2'}, '--password'],
  [{'source-password': 'hunter2'}, '--source-password'],
])('A secret among the arguments warns without repeating it: %o', (flags, flag) => {
  const warnings = passwordWarnings(flags)
  expect(warnings).toMatchObject([expect.stringMatching(new RegExp(`^${flag} shows the password`))])
  expect(warnings.join()).not.toContain('hunter2')
})

test('A secret that comes from its variable warns of nothing', () => {
  process.env['MIRROR_PASSWORD'] = 'hunter2'
  process.env['MIRROR_PROXY'] = 'http://p:hunter2@proxy.example'
  expect(passwordWarnings({password: 'hunter2', proxy: 'http://p:hunter2@proxy.example'})).toEqual([])
})

test('A secret among the arguments warns even if its variable is set, too', () => {
  process.env['MIRROR_PASSWORD'] = 'another'
  expect(passwordWarnings({password: 'hunter2'})).toHaveLength(1)
})

test('A proxy without a password, and an @ in its path, warn of nothing', () => {
  expect(passwordWarnings({proxy: 'http://someone@proxy.example'})).toEqual([])
  expect(passwordWarnings({proxy: 'http://proxy.example/a:b@c'})).toEqual([])
})
