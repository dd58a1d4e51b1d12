import {expect, test} from 'vitest'
import {commands} from '#src/commands/index.js'
import {helpText} from '#src/help/help-text.js'
import {readCall} from '#src/run/read-call.js'

const KNOWN = {
  ids: ['push', 'sync', 'config:emit', 'config:explain'],
  aliases: new Map([['push:images', 'push']]),
}

test.each([
  ['help', {}],
  ['-h', {}],
  ['--help', {}],
  ['help push', {id: 'push'}],
  ['help config', {topic: 'config'}],
  ['help config emit', {id: 'config:emit'}],
  ['push -h', {id: 'push'}],
  ['push help', {id: 'push'}],
  ['push --source x --help', {id: 'push'}],
  ['config --help', {topic: 'config'}],
  ['config help', {topic: 'config'}],
  ['push --help --all', {id: 'push', all: true}],
  ['help push --all', {id: 'push', all: true}],
])('%j asks for help', (typed, asked) => {
  expect(readCall(typed.split(' '), KNOWN)).toEqual({type: 'help', all: false, asked: true, ...asked})
})

test.each([['version'], ['-v'], ['--version'], ['push --version']])('%j asks for the version', (typed) => {
  expect(readCall(typed.split(' '), KNOWN)).toEqual({type: 'version', verbose: false})
})

test.each([
  ['push --source x', 'push', ['--source', 'x']],
  ['push images --source x', 'push', ['--source', 'x']],
  ['push foo', 'push', ['foo']],
  ['push -- -h', 'push', ['--', '-h']],
  ['config emit --for k3s', 'config:emit', ['--for', 'k3s']],
])('%j runs a command', (typed, id, argv) => {
  expect(readCall(typed.split(' '), KNOWN)).toEqual({type: 'run', id, argv})
})

test.each([
  [[], {}],
  [['config'], {topic: 'config'}],
])('the arguments %j lack a command', (typed, rest) => {
  expect(readCall(typed, KNOWN)).toEqual({type: 'help', all: false, asked: false, ...rest})
})

test.each([
  ['psuh', 'there is no command "psuh"', 'Use "mirror push".'],
  ['help psuh', 'there is no command "psuh"', 'Use "mirror push".'],
  ['inspect x', 'there is no command "inspect"', 'Use one of: push, sync, config.'],
  ['confg emit', 'there is no command "confg"', 'Use "mirror config".'],
  ['config emitt', 'there is no command "config emitt"', 'Use "mirror config emit".'],
  ['config inspect x', 'there is no command "config inspect"', 'Use one of: emit, explain.'],
  ['--json push', 'a command has to come before --json', 'Run "mirror --help"'],
])('%j names no command: a usage error says which there are', (typed, message, hint) => {
  expect(() => readCall(typed.split(' '), KNOWN)).toThrow(
    expect.objectContaining({code: 'USAGE', message, hint: expect.stringContaining(hint)}),
  )
})

test('the help of the program names every command', () => {
  const text = helpText(commands, {all: false})
  for (const id of Object.keys(commands)) expect(text).toContain(`  ${id.replace(':', ' ')} `)
})
