import {expect, it, test} from 'vitest'
import {commandIn} from '#src/run/command-in.js'
import {spelledOut} from '#src/run/spelled-out.js'

const IDS = ['push', 'sync', 'config:emit', 'config:explain']

test.each([
  [['help'], ['--help']],
  [
    ['help', 'push'],
    ['push', '--help'],
  ],
  [['-h'], ['--help']],
  [
    ['push', '-h'],
    ['push', '--help'],
  ],
  [
    ['push', '--', '-h'],
    ['push', '--', '-h'],
  ],
  [['version'], ['--version']],
  [['-v'], ['--version']],
  [
    ['push', '--source', 'x'],
    ['push', '--source', 'x'],
  ],
])('the arguments %j are spelt out as %j', (typed, argv) => {
  expect(spelledOut(typed)).toEqual(argv)
})

test.each([
  [['push', '--source', 'x'], 'push'],
  [['push', 'images'], 'push'],
  [['config', 'emit', '--for', 'k3s'], 'config:emit'],
  [['config'], undefined],
  [['config', '--help'], undefined],
  [['--help'], undefined],
  [[], undefined],
])('the command of %j is %s', (argv, command) => {
  expect(commandIn(argv, IDS)).toBe(command)
})

test.each([
  [['psuh'], 'there is no command "psuh"', 'Use "mirror push".'],
  [['inspect', 'x'], 'there is no command "inspect"', 'Run "mirror --help"'],
  [['config', 'emitt'], 'there is no command "config emitt"', 'Use "mirror config emit".'],
  [['config', 'nonsense'], 'there is no command "config nonsense"', 'Run "mirror config --help"'],
])('a command that is not known is a usage error with a suggestion: %j', (argv, message, hint) => {
  expect(() => commandIn(argv, IDS)).toThrow(
    expect.objectContaining({code: 'USAGE', message, hint: expect.stringContaining(hint)}),
  )
})

it('takes nothing behind a flag for a command', () => {
  expect(commandIn(['--json', 'nonsense'], IDS)).toBeUndefined()
})
