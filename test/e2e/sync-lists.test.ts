import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {makeImage, type TestImage} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {syncScene, statuses, type SyncRun, type SyncScene} from './sync.js'

describe('mirror sync takes from lists', () => {
  let scene: SyncScene
  let app: TestImage
  let host: string
  /** Each test has a place of its own at the target. */
  let into = 0
  const apart = (): SyncRun => ({into: `place-${++into}`})
  const there = (): readonly string[] =>
    scene.target
      .repositories()
      .filter((name) => name.startsWith(`place-${into}/`))
      .flatMap((name) => scene.target.tags(name).map((tag) => `${name.slice(name.indexOf('/') + 1)}:${tag}`))
      .toSorted()

  beforeAll(async () => {
    scene = await syncScene()
    host = scene.source.host
    app = await makeImage({seed: 'app', layers: 1})
    await scene.add('team/app:v1', app)
    for (const name of ['team/app:latest', 'team/tool:v2', 'library/busybox:1.36', 'rancher/klipper:v0.9'])
      await scene.add(name)
  })
  afterAll(() => scene[Symbol.asyncDispose]())

  test('k3s-images.txt, through the mirrors of a registries.yaml', async () => {
    const list = await scene.list('docker.io/rancher/klipper:v0.9', 'docker.io/library/busybox:1.36')
    const mirrors = await scene.write(
      'registries.yaml',
      `mirrors:\n  docker.io:\n    endpoint: ["http://${host}"]\n`,
    )
    const {code, stderr, report} = await scene.sync(
      argv`--images ${list} --source-mirrors ${mirrors}`,
      apart(),
    )
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(there()).toEqual(['library/busybox:1.36', 'rancher/klipper:v0.9'])
    expect(report.images.map(({source}) => source)).toEqual([
      'docker.io/rancher/klipper:v0.9',
      'docker.io/library/busybox:1.36',
    ])
  })

  test('rancher-images.txt, whose names leave the host out', async () => {
    const mirrors = await scene.write(
      'registries.yaml',
      `mirrors:\n  docker.io:\n    endpoint: ["http://${host}"]\n`,
    )
    const list = await scene.list('rancher/klipper:v0.9', 'busybox:1.36')
    const {code} = await scene.sync(argv`--images ${list} --source-mirrors ${mirrors}`, apart())
    expect(code).toBe(0)
    expect(there()).toEqual(['library/busybox:1.36', 'rancher/klipper:v0.9'])
  })

  test('two columns: the second is the target, with a tag of its own or without', async () => {
    const list = await scene.list(`${host}/team/app:v1 elsewhere/renamed:stable`, `${host}/team/tool:v2 tool`)
    const {code, stderr} = await scene.sync(argv`--images ${list}`, apart())
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(there()).toEqual(['elsewhere/renamed:stable', 'tool:v2'])
  })

  test('digests, pushed without a tag; tag@digest, checked and tagged', async () => {
    const {digest} = app.root.descriptor
    const list = await scene.list(`${host}/team/app@${digest}`)
    const place = apart()
    const alone = await scene.sync(argv`--images ${list}`, place)
    expect(alone).toMatchObject({code: 0})
    expect(there()).toEqual([])
    expect(scene.target.manifest(`place-${into}/team/app`, digest)).toBeDefined()
    const pinned = await scene.list(`${host}/team/app:v1@${digest}`)
    expect(await scene.sync(argv`--images ${pinned}`, place)).toMatchObject({code: 0})
    expect(there()).toEqual(['team/app:v1'])
  })

  test('a digest that its source does not have fails that image alone', async () => {
    const other = `sha256:${'0'.repeat(64)}`
    const list = await scene.list(`${host}/team/app:v1@${other}`, `${host}/team/tool:v2`)
    const {code, stderr, report} = await scene.sync(argv`--images ${list}`, apart())
    expect(code).toBe(3)
    expect(statuses(report)).toEqual(['failed', 'pushed'])
    expect(stderr).toMatch(/^error: source: /m)
    expect(stderr).toContain(other)
  })

  test('comments, blank lines, CRLF and a byte order mark; a name without a tag means latest', async () => {
    const list = await scene.write(
      'crlf.txt',
      `\uFEFF# images\r\n\r\n${host}/team/app # the newest\r\n   ${host}/team/tool:v2\r\n`,
    )
    const {code, report} = await scene.sync(argv`--images ${list}`, apart())
    expect(code).toBe(0)
    expect(there()).toEqual(['team/app:latest', 'team/tool:v2'])
    expect(report.images[0]?.source).toBe(`${host}/team/app:latest`)
  })

  test('several at once, an image in two of them once; - is standard input', async () => {
    const one = await scene.list(`${host}/team/app:v1`, `${host}/team/tool:v2`)
    const {code, report} = await scene.sync(argv`--images ${one} --images -`, {
      ...apart(),
      stdin: `${host}/team/tool:v2\n${host}/library/busybox:1.36\n`,
    })
    expect(code).toBe(0)
    expect(there()).toEqual(['library/busybox:1.36', 'team/app:v1', 'team/tool:v2'])
    expect(report.images).toHaveLength(3)
  })

  test('and says all their bad lines at once, with numbers, before anything is asked', async () => {
    const one = await scene.list(`${host}/team/app:v1`, 'Upper/Case:v1', '', 'a b c')
    const two = await scene.list('# fine', `${host}/team/app:v1`, `${host}/team/app@sha256:short`)
    scene.clearLogs()
    const {code, stdout, stderr} = await scene.quietly(argv`--images ${one} --images ${two}`, apart())
    expect({code, stdout}).toEqual({code: 2, stdout: ''})
    for (const text of [one, two, 'line 2', 'line 4', 'line 3']) expect(stderr).toContain(text)
    expect(stderr).not.toContain('line 1:')
    expect([...scene.source.requests, ...scene.target.requests]).toEqual([])
  })

  test('only what --include and --exclude leave', async () => {
    const list = await scene.list(
      `${host}/team/app:v1`,
      `${host}/team/tool:v2`,
      `${host}/library/busybox:1.36`,
    )
    const {code} = await scene.sync(argv`--images ${list} --include **/team/* --exclude **/tool:*`, apart())
    expect(code).toBe(0)
    expect(there()).toEqual(['team/app:v1'])
  })

  test.each([
    ['is empty', [], []],
    ['is nothing but comments', ['# nothing', ''], []],
    ['has nothing that the filters leave', ['team/app:v1'], ['--exclude', '**']],
  ])('an error where the list %s', async (_name, lines, flags) => {
    const list = await scene.list(...lines)
    const {code, stderr} = await scene.quietly(argv`--images ${list} ${flags}`, apart())
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: .*names no image.*\nhint: /m)
  })

  test('a list that is not there is an error that names it', async () => {
    const {code, stderr} = await scene.quietly(argv`--images missing.txt`, apart())
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error: .*missing\.txt/m)
  })

  test('two different images for one name are refused before the first byte, naming both', async () => {
    const list = await scene.list(`${host}/team/app:v1 same:v1`, `${host}/team/tool:v2 same:v1`)
    scene.clearLogs()
    const {code, stderr} = await scene.quietly(argv`--images ${list}`, apart())
    expect(code).toBe(2)
    for (const text of ['team/app:v1', 'team/tool:v2', 'same:v1']) expect(stderr).toContain(text)
    expect(scene.target.bytesReceived).toBe(0)
  })
})
