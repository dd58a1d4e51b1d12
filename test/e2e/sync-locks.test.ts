import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import type {Child} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {syncScene, type SyncScene} from './sync.js'
import {until} from './until.js'

const SILENT = {code: 0, stdout: '', stderr: ''}

interface Held extends AsyncDisposable {
  readonly scene: SyncScene
  readonly list: string
  /** A run that holds the lock, and that the source keeps waiting. */
  readonly holder: Child
  /** Lets it go on. */
  readonly release: () => void
}

async function held(): Promise<Held> {
  const scene = await syncScene()
  const list = await scene.list(await scene.add('team/app:v1'))
  scene.source.setFaults([{match: {kind: 'head'}, fault: {type: 'stall', ms: 60_000}}])
  const holder = await scene.start(argv`--images ${list} --quiet`)
  await until(() => scene.source.requests.length > 0 && scene.target.requests.length > 0)
  return {
    scene,
    list,
    holder,
    release: () => holder.kill('SIGTERM'),
    [Symbol.asyncDispose]: async () => {
      holder.kill('SIGKILL')
      await holder.result
      await scene[Symbol.asyncDispose]()
    },
  }
}

test('two at once: the second ends with exit code 5 and says who holds the lock; nothing is asked', async () => {
  await using at = await held()
  const {scene, list, holder} = at
  scene.clearLogs()
  const {code, stdout, stderr} = await scene.quietly(argv`--images ${list}`)
  expect({code, stdout}).toEqual({code: 5, stdout: ''})
  expect(stderr).toMatch(new RegExp(`^error: .*${holder.pid}.*\\nhint: .*--wait`, 'm'))
  expect([...scene.source.requests, ...scene.target.requests]).toEqual([])
})

test('a run that the lock refused keeps the time of the last success in the metrics, and its target', async () => {
  await using at = await held()
  const {scene, list} = at
  const metrics = join(scene.directory, 'mirror.prom')
  const labels = `command="sync",source="${list}",target="${scene.target.host}/mirror"`
  await writeFile(metrics, `mirror_last_success_timestamp_seconds{${labels}} 1234567890\n`)
  const {code} = await scene.quietly([...argv`--images ${list}`, '--metrics', metrics])
  expect(code).toBe(5)
  const text = await readFile(metrics, 'utf8')
  expect(text).toContain(`mirror_last_success_timestamp_seconds{${labels}} 1234567890`)
  expect(text).not.toMatch(/^mirror_last_success_timestamp_seconds\{.*target=""/m)
})

test('--wait waits until it is free', async () => {
  await using at = await held()
  const {scene, list, holder, release} = at
  const waiting = await scene.start(argv`--images ${list} --wait 60s`)
  await until(() => waiting.stderr.includes('waiting for another run to end'))
  expect(scene.at('team/app:v1')).toBeUndefined()
  release()
  expect((await holder.result).code).toBe(143)
  const {code, stderr} = await waiting.result
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(scene.at('team/app:v1')).toBeDefined()
})

test('--wait for too short a time ends with exit code 5', async () => {
  await using at = await held()
  const {code, stderr} = await at.scene.quietly(argv`--images ${at.list} --wait 1s`)
  expect(code).toBe(5)
  expect(stderr).toContain(String(at.holder.pid))
})

test('a holder that was killed leaves no lasting lock', async () => {
  await using at = await held()
  const {scene, list, holder} = at
  holder.kill('SIGKILL')
  await holder.result
  expect(await scene.quietly(argv`--images ${list}`)).toMatchObject(SILENT)
  expect(scene.at('team/app:v1')).toBeDefined()
})

test('another registry, and another state directory, have locks of their own', async () => {
  await using at = await held()
  const {scene, list} = at
  const elsewhere = argv`--images ${list} --private-registry ${scene.source.host}/copies`
  expect(await scene.quietly(elsewhere, {into: false})).toMatchObject(SILENT)
  expect(scene.source.tags('copies/team/app')).toEqual(['v1'])
  const state = `${scene.directory}/other-state`
  expect(await scene.quietly(argv`--images ${list} --state ${state}`)).toMatchObject(SILENT)
})

test('a dry run takes no lock', async () => {
  await using at = await held()
  const {scene, list} = at
  expect((await scene.sync(argv`--images ${list} --dry-run`)).code).toBe(0)
})
