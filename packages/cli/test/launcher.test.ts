import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {makeTempDir, runChild, type TempDir} from '@airgap-mirror/test/kit'
import {LAUNCHER} from '#src/release/launcher.js'

describe('the launcher of the packaged program', () => {
  let directory: TempDir
  const at = (...names: string[]): string => join(directory.path, ...names)

  beforeEach(async () => {
    directory = await makeTempDir()
    await mkdir(at('the program/bin'), {recursive: true})
    await mkdir(at('the program/lib/node/bin'), {recursive: true})
    await mkdir(at('some/where else'), {recursive: true})
    await writeFile(at('the program/bin/mirror'), LAUNCHER, {mode: 0o755})
    await writeFile(at('the program/lib/node/bin/node'), '#!/bin/sh\nshift\necho ran "$@"\n', {mode: 0o755})
    await symlink(at('the program/bin/mirror'), at('some/absolute'))
    await symlink('../absolute', at('some/where else/relative'))
    await symlink('some/where else/relative', at('mirror'))
  })

  afterEach(() => directory[Symbol.asyncDispose]())

  test.each([
    ['by its own path', '"$PWD/the program/bin/mirror" a "b c"'],
    ['through the path', 'PATH=$PWD:$PATH mirror a "b c"'],
    ['through a relative path', 'PATH=some:$PATH absolute a "b c"'],
    ['as a script in the working directory', 'sh mirror a "b c"'],
    ['as a script that is no link', 'cd "the program/bin" && sh mirror a "b c"'],
  ])('starts the program that is called %s, whatever links and spaces there are', async (_how, line) => {
    const {stdout, stderr} = await runChild('sh', ['-c', line], {cwd: directory.path})
    expect({stdout, stderr}).toEqual({stdout: 'ran a b c\n', stderr: ''})
  })

  test('says that it cannot follow a link without readlink', async () => {
    const {code, stderr} = await runChild(at('mirror'), [], {env: {PATH: at('nowhere')}})
    expect(code).toBe(127)
    expect(stderr).toContain(`${at('mirror')} is a link, and there is no readlink to follow it`)
  })
})
