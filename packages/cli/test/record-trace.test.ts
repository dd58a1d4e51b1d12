import {readFile, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {beginSpan} from '@airgap-mirror/oci-client/model'
import {makeTempDir} from '@airgap-mirror/test/kit'
import {recordTrace} from '#src/run/record-trace.js'

test('a run that is killed leaves a trace that lacks nothing but its end and its last moment', async () => {
  await using directory = await makeTempDir()
  const path = join(directory.path, 'trace.json')
  const trace = await recordTrace(path)
  for (let number = 0; number < 2000; number++) beginSpan(() => ({kind: 'step', name: `step ${number}`}))()
  const killed = JSON.parse(`${await readFile(path, 'utf8')}]`) as {
    readonly ph: string
    readonly name: string
  }[]
  const steps = killed.filter(({ph}) => ph === 'X').map(({name}) => name)
  expect(steps.length).toBeGreaterThan(1000)
  expect(steps).toEqual(steps.map((_, number) => `step ${number}`))

  trace.close()
  const whole = JSON.parse(await readFile(path, 'utf8')) as unknown[]
  expect(whole).toHaveLength(2002)
  const {size} = await stat(path)
  trace.close()
  beginSpan(() => ({kind: 'step', name: 'after'}))()
  expect((await stat(path)).size).toBe(size)
})
