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
    expect({code, stderr}).toMatchObject({code: 1})
    expect(stderr).toMatch(/the run took longer than 1\.0 s/)
    expect(stderr).toMatch(/^hint: .*--timeout/m)
  })
})
