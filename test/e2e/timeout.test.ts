import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {makeImage, runMirror, withTempDir} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

test('A run that takes longer than --timeout ends with exit code 1 and says so', async () => {
  await withTempDir(async (directory) => {
    const source = await writeOciBundle(directory, [named('gcr.io/a/b:v1', await makeImage({seed: 'slow'}))])
    await using registry = await startRegistry({
      faults: [{times: Number.POSITIVE_INFINITY, fault: {type: 'stall'}}],
    })
    const {code, stderr} = await runMirror(
      argv`push --source ${source} --private-registry ${registry.host} --plain-http --no-state --timeout 1s`,
      {cwd: directory},
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 1})
    expect(stderr).toMatch(/the run took longer than 1\.0 s/)
    expect(stderr).toMatch(/^hint: .*--timeout/m)
  })
})

test.each([
  ['config explain --probe', argv`config explain team/app:1 --probe`],
  ['config check', argv`config check --images images.txt --plain-http`],
])('%s of a registry that never answers ends with --timeout', async (_name, command) => {
  await withTempDir(async (directory) => {
    await using registry = await startRegistry({
      faults: [{times: Number.POSITIVE_INFINITY, fault: {type: 'stall'}}],
    })
    const {host} = registry
    await writeFile(join(directory, 'images.txt'), 'docker.io/team/app:1\n')
    await mkdir(join(directory, 'docker.io'))
    await writeFile(
      join(directory, 'docker.io/hosts.toml'),
      `[host."http://${host}"]\n  capabilities = ["pull", "resolve"]\n`,
    )
    const asked = command[1] === 'check' ? argv`--private-registry ${host}` : []
    const {code, stdout, stderr} = await runMirror(
      [...command, ...argv`--files . --as containerd --timeout 1s`, ...asked],
      {cwd: directory},
    )
    expect({code, stdout, stderr}).toMatchObject({code: 1, stdout: ''})
    expect(stderr).toMatch(/took longer than 1\.0 s/)
    expect(stderr).toMatch(/^hint: .*--timeout/m)
  })
})
