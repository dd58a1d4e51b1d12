import {describe, expect, test} from 'vitest'
import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {makeImage} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import type {ReadReport} from './push.js'
import {statuses, syncScene, type SyncScene} from './sync.js'
import {until} from './until.js'

interface Told extends ReadReport {
  readonly error?: {readonly code: string; readonly message: string}
}

/** A night whose notify command writes down what it was told. */
async function notified(
  scene: SyncScene,
  flags: readonly string[],
): Promise<{
  readonly code: number | undefined
  readonly stderr: string
  readonly told: Told | undefined
  readonly exit: string
}> {
  const file = (name: string): string => join(scene.directory, name)
  const command = `cat > ${file('told.json')}; echo "$MIRROR_EXIT_CODE $MIRROR_OUTCOME" > ${file('exit')}`
  const {code, stderr} = await scene.quietly(argv`--notify-command ${command} ${flags}`)
  const read = (name: string): Promise<string> => readFile(file(name), 'utf8').catch(() => '')
  const [told, exit] = [await read('told.json'), await read('exit')]
  return {code, stderr, told: told === '' ? undefined : (JSON.parse(told) as Told), exit: exit.trim()}
}

describe('--notify-command', () => {
  test('is not run when all is well', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    for (let night = 0; night < 2; night++)
      expect(await notified(scene, argv`--images ${list}`)).toMatchObject({
        code: 0,
        told: undefined,
        exit: '',
      })
  })

  test('is told of an image that failed, with the report', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'), `${scene.source.host}/team/missing:v1`)
    const {code, told, exit} = await notified(scene, argv`--images ${list}`)
    expect({code, exit}).toEqual({code: 3, exit: '3 partial'})
    expect(told).toMatchObject({schema: 'mirror.report/v1', command: 'sync', outcome: 'partial'})
    expect(told === undefined ? [] : statuses(told)).toEqual(['pushed', 'failed'])
  })

  test('is told of a night in which a registry was down', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    await scene.target.goDown()
    const {code, told, exit} = await notified(scene, argv`--images ${list} --retries 0`)
    expect({code, exit}).toEqual({code: 1, exit: '1 failed'})
    expect(JSON.stringify(told)).toContain('UNREACHABLE')
  })

  test('is told of a list that is bad, or that is not there', async () => {
    await using scene = await syncScene()
    const bad = await scene.list('Bad/Name:v1')
    const {code, told, exit} = await notified(scene, argv`--images ${bad}`)
    expect({code, exit}).toEqual({code: 2, exit: '2 failed'})
    expect(told).toMatchObject({
      command: 'sync',
      outcome: 'failed',
      error: {code: 'LIST_INVALID'},
      images: [],
    })
    expect(await notified(scene, argv`--images missing.txt`)).toMatchObject({code: 2, exit: '2 failed'})
  })

  test('is told of a flag that makes no sense', async () => {
    await using scene = await syncScene()
    const list = await scene.list('team/app:v1')
    const {code, told} = await notified(scene, argv`--images ${list} --platform nonsense`)
    expect(code).toBe(2)
    expect(told).toMatchObject({outcome: 'failed', error: {code: 'USAGE'}})
  })

  test('is told that another run holds the lock', async () => {
    await using scene = await syncScene()
    const list = await scene.list(await scene.add('team/app:v1'))
    scene.source.setFaults([{match: {kind: 'head'}, fault: {type: 'stall', ms: 60_000}}])
    const holder = await scene.start(argv`--images ${list} --quiet`)
    await until(() => scene.source.requests.length > 0)
    const {code, told, exit} = await notified(scene, argv`--images ${list}`)
    holder.kill('SIGKILL')
    await holder.result
    expect({code, exit}).toEqual({code: 5, exit: '5 failed'})
    expect(told).toMatchObject({error: {code: 'STATE_LOCKED'}})
  })

  test('that fails itself is a warning, and changes no exit code', async () => {
    await using scene = await syncScene()
    const list = await scene.list(`${scene.source.host}/team/missing:v1`)
    const {code, stderr} = await scene.quietly(argv`--images ${list} --notify-command ${'exit 9'}`)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^warning: the notify command ended with exit code 9$/m)
  })
})

describe('--metrics', () => {
  const metricsOf = async (path: string): Promise<Readonly<Record<string, string>>> => {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.startsWith('mirror_'))
    return Object.fromEntries(
      lines.map((line) => {
        const {
          name = '',
          status,
          value = '',
        } = /^(?<name>\w+)\{.*?(?:status="(?<status>\w+)")?\} (?<value>\S+)$/.exec(line)?.groups ?? {}
        return [status === undefined ? name : `${name} ${status}`, value]
      }),
    )
  }

  test('keep the last success over nights that fail, in every way', async () => {
    await using scene = await syncScene()
    const metrics = join(scene.directory, 'mirror.prom')
    const list = await scene.list(await scene.add('team/app:v1'), await scene.add('team/tool:v1'))
    const night = async (flags: readonly string[] = []): Promise<Readonly<Record<string, string>>> => {
      await scene.quietly(argv`--images ${list} --metrics ${metrics} --retries 0 --source-retries 0 ${flags}`)
      return metricsOf(metrics)
    }
    const first = await night()
    expect(first).toMatchObject({
      mirror_last_run_exit_code: '0',
      'mirror_last_run_images pushed': '2',
      'mirror_last_run_images failed': '0',
    })
    const success = first['mirror_last_success_timestamp_seconds']
    expect(Number(success)).toBeGreaterThan(Date.now() / 1000 - 60)

    scene.source.setFaults([
      {
        match: {kind: ['head', 'manifest-get'], path: /tool/},
        times: Infinity,
        fault: {type: 'status', status: 500},
      },
    ])
    expect(await night()).toMatchObject({
      mirror_last_run_exit_code: '3',
      mirror_last_success_timestamp_seconds: success,
      'mirror_last_run_images present': '1',
      'mirror_last_run_images failed': '1',
    })
    expect(await night(['--platform', 'nonsense'])).toMatchObject({
      mirror_last_run_exit_code: '2',
      mirror_last_success_timestamp_seconds: success,
    })
    scene.source.setFaults([])
    await scene.target.goDown()
    expect(await night()).toMatchObject({
      mirror_last_run_exit_code: '1',
      mirror_last_success_timestamp_seconds: success,
    })
    await scene.target.comeBack()
    const last = await night()
    expect(last).toMatchObject({mirror_last_run_exit_code: '0', 'mirror_last_run_images present': '2'})
    expect(Number(last['mirror_last_success_timestamp_seconds'])).toBeGreaterThan(Number(success))
  })
})

describe('--failed and --report', () => {
  test('what was not done goes back into --images, and then it is', async () => {
    await using scene = await syncScene()
    const names = ['team/one:v1', 'team/two:v1', 'team/three:v1']
    const references: string[] = []
    for (const name of names) references.push(await scene.add(name))
    const list = await scene.list(...references)
    const failed = join(scene.directory, 'failed.txt')
    const report = join(scene.directory, 'report.json')
    scene.source.setFaults([
      {match: {kind: 'blob-get', path: /two|three/}, times: Infinity, fault: {type: 'status', status: 404}},
    ])
    const outputs = argv`--failed ${failed} --report ${report}`
    const {code} = await scene.quietly(argv`--images ${list} ${outputs}`)
    expect(code).toBe(3)
    expect(await readFile(failed, 'utf8')).toBe(`${references.slice(1).join('\n')}\n`)
    const written = JSON.parse(await readFile(report, 'utf8')) as ReadReport
    expect(written).toMatchObject({outcome: 'partial', totals: {images: 3, succeeded: 1, failed: 2}})
    expect(statuses(written)).toEqual(['pushed', 'failed', 'failed'])
    scene.source.setFaults([])
    expect((await scene.quietly(argv`--images ${failed} ${outputs}`)).code).toBe(0)
    expect(names.map((name) => scene.at(name) !== undefined)).toEqual([true, true, true])
    expect(await readFile(failed, 'utf8')).toBe('# mirror: nothing failed\n')
  })

  test('what a second column moved goes where it was to go', async () => {
    await using scene = await syncScene()
    const list = await scene.list(`${await scene.add('team/app:v1')} moved/there:v2`)
    const failed = join(scene.directory, 'failed.txt')
    await scene.target.goDown()
    expect((await scene.quietly(argv`--images ${list} --failed ${failed} --retries 0`)).code).toBe(1)
    await scene.target.comeBack()
    expect((await scene.quietly(argv`--images ${failed}`)).code).toBe(0)
    expect(scene.target.repositories()).toEqual(['mirror/moved/there'])
  })
})

test('--dry-run on the first night says what would be sent, and changes nothing anywhere', async () => {
  await using scene = await syncScene()
  const image = await makeImage({seed: 'app', layers: 1})
  const reference = await scene.add('team/app:v1', image)
  const list = await scene.list(reference)
  const {code, report} = await scene.sync(argv`--images ${list} --dry-run`)
  const bytes = image.blobs.reduce((sum, {descriptor}) => sum + descriptor.size, 0)
  expect(code).toBe(0)
  expect(report).toMatchObject({outcome: 'planned', images: [{status: 'planned', bytesToSend: bytes}]})
  expect(new Set(scene.target.requests.map(({method}) => method))).toEqual(new Set(['HEAD']))
  expect(scene.source.requests.filter(({kind}) => kind === 'blob-get')).toEqual([])
  const table = await (await scene.start(argv`--images ${list} --dry-run`)).result
  expect(table.stdout).toContain(`${reference}  ->  ${scene.target.host}/mirror/team/app:v1`)
  expect(await readdir(scene.directory, {recursive: true})).not.toContainEqual(
    expect.stringContaining('tags/'),
  )
})

test('--fail-fast: what fails before anything is sent is the first failure, too', async () => {
  await using scene = await syncScene()
  const missing = `${scene.source.host}/team/missing:v1`
  const list = await scene.list(await scene.add('team/app:v1'), missing, await scene.add('team/tool:v1'))
  const {code, stderr, report} = await scene.sync(argv`--images ${list} --fail-fast`)
  expect(code).toBe(1)
  expect(statuses(report)).toEqual(['skipped', 'failed', 'skipped'])
  expect(stderr).toContain('not tried: another image failed first')
  expect(scene.target.bytesReceived).toBe(0)
  // nothing was put, so that nothing counts as ours
  expect((await scene.sync(argv`--images ${list}`)).code).toBe(3)
})

describe('exit codes', () => {
  test('130 after SIGINT; a second one leaves at once, and the next night finds nothing wrong', async () => {
    await using scene = await syncScene()
    const big = await makeImage({seed: 'big', layers: 1, layerSize: 2_000_000, content: 'random'})
    const list = await scene.list(await scene.add('team/one:v1'), await scene.add('team/big:v1', big))
    const report = join(scene.directory, 'report.json')
    scene.source.setFaults([
      {
        match: {kind: 'blob-get', path: /big/},
        times: Infinity,
        fault: {type: 'trickle', bytes: 20_000, ms: 50},
      },
    ])
    const child = await scene.start(argv`--images ${list} --quiet --prune --report ${report}`)
    await until(() => scene.at('team/one:v1') !== undefined)
    child.kill('SIGINT')
    await until(() => child.stderr.includes('stopping'))
    child.kill('SIGINT')
    const {code} = await child.result
    expect(code).toBe(130)
    expect(scene.at('team/big:v1')).toBeUndefined()
    scene.source.setFaults([])
    expect(await scene.quietly(argv`--images ${list} --prune`)).toMatchObject({code: 0, stderr: ''})
    expect(scene.at('team/big:v1')).toBe(big.root.descriptor.digest)
  })

  test.each([
    ['neither list nor job file', []],
    ['both', ['--images', 'a', '--config', 'b']],
    ['two readers of standard input', ['--images', '-', '--source-password-stdin']],
    ['a job without a target', ['--images', 'list.txt'], false],
  ] as const)('2 for %s', async (_name, flags, into?: false) => {
    await using scene = await syncScene()
    await scene.write('list.txt', 'team/app:v1\n')
    const {code, stdout, stderr} = await scene.quietly(flags, {
      stdin: '',
      into: into === false ? into : undefined,
    })
    expect({code, stdout}).toEqual({code: 2, stdout: ''})
    expect(stderr).toMatch(/^error: /)
  })
})
