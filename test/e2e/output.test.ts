import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  dockerArchive,
  makeImage,
  makeTempDir,
  runMirror,
  type ChildResult,
  type RunMirrorOptions,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type FaultRule, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, parseReport, push, writeBundle, writeOciBundle, type ReadReport} from './push.js'

const refuseTwo: FaultRule = {
  match: {kind: 'manifest-put', path: /two/},
  times: Number.POSITIVE_INFINITY,
  fault: {type: 'status', status: 403},
}

describe('what a push says', () => {
  let directory: TempDir
  let images: readonly TestImage[]
  let source: string
  let bytes: number
  const at = (name: string): string => join(directory.path, name)

  beforeAll(async () => {
    directory = await makeTempDir()
    images = await Promise.all(['one', 'two', 'three'].map((seed) => makeImage({seed, layers: 1})))
    const names = ['gcr.io/team/one:v1', 'gcr.io/team/two:v1', 'gcr.io/team/three:v1']
    source = await writeOciBundle(
      directory.path,
      images.map((image, index) => named(names[index] ?? '', image)),
    )
    bytes = images.flatMap(({blobs}) => blobs).reduce((sum, {descriptor}) => sum + descriptor.size, 0)
  })
  afterAll(() => directory.remove())

  const run = (
    registry: TestRegistry,
    flags: readonly string[],
    options: RunMirrorOptions = {},
  ): Promise<ChildResult> =>
    runMirror(
      argv`push --source ${source} --private-registry ${registry.host}/ns --plain-http ${flags}`,
      options,
    )
  const readReport = async (path: string): Promise<ReadReport> =>
    parseReport({stdout: await readFile(path, 'utf8'), stderr: ''})

  test('--json: the report, and nothing else, on standard output', async () => {
    await using registry = await startRegistry({strict: true})
    const {stdout} = await run(registry, argv`--json`)
    const version = (await runMirror(['--version'])).stdout.trim().replace('mirror ', '')
    const report = parseReport({stdout, stderr: ''})
    expect(report).toMatchObject({
      schema: 'mirror.report/v1',
      version,
      exitCode: 0,
      command: 'push',
      source,
      target: `${registry.host}/ns`,
      outcome: 'ok',
      totals: {images: 3, succeeded: 3, failed: 0, bytes: {uploaded: bytes}, retries: 0},
    })
    expect(report.totals.requests).toBe(registry.requests.length)
    expect(report.images.map(({source: name}) => name)).toEqual([
      'gcr.io/team/one:v1',
      'gcr.io/team/two:v1',
      'gcr.io/team/three:v1',
    ])
    for (const [index, image] of report.images.entries()) {
      const digest = images[index]?.root.descriptor.digest
      expect(image).toMatchObject({
        sourceDigest: digest,
        targetDigest: digest,
        digestChanged: false,
        status: 'pushed',
        durationMs: expect.any(Number) as number,
      })
    }
    expect(new Set(registry.requests.map(({headers}) => headers['user-agent']))).toEqual(
      new Set([`mirror/${version}`]),
    )
  })

  test('without --json: nothing on standard output, progress and figures on standard error', async () => {
    await using registry = await startRegistry({strict: true})
    const {stdout, stderr} = await run(registry, [])
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^3 images: at most .* to send in 6 blobs$/m)
    expect(stderr.match(/^pushed /gm)).toHaveLength(3)
    expect(stderr).toMatch(/^3 images: 3 pushed, 0 present, 0 failed; .* sent in 6 blobs; /m)
  })

  test('--report and --failed: files, and a rerun with --images of what failed does the rest', async () => {
    await using registry = await startRegistry({strict: true, faults: [refuseTwo]})
    const flags = argv`--retries 0 --report ${at('report.json')} --failed ${at('failed.txt')}`
    const first = await run(registry, flags)
    expect(first.code).toBe(3)
    expect(await readReport(at('report.json'))).toMatchObject({
      outcome: 'partial',
      totals: {succeeded: 2, failed: 1},
    })
    expect(await readFile(at('failed.txt'), 'utf8')).toBe('gcr.io/team/two:v1\n')

    registry.setFaults([])
    registry.clearLog()
    const second = await run(registry, [...flags, ...argv`--images ${at('failed.txt')}`])
    expect(second).toMatchObject({code: 0})
    expect((await readReport(at('report.json'))).images).toMatchObject([
      {source: 'gcr.io/team/two:v1', status: 'pushed'},
    ])
    expect(await readFile(at('failed.txt'), 'utf8')).toBe('# mirror: nothing failed\n')
    expect(registry.commits).toEqual([])

    const third = await run(registry, [...flags, ...argv`--images ${at('failed.txt')}`])
    expect(third).toMatchObject({code: 0})
    expect(faultsIn(registry)).toEqual([])
  })

  test('--fail-fast: the images after the first failure are skipped, and are in --failed', async () => {
    await using registry = await startRegistry({
      strict: true,
      faults: [{...refuseTwo, match: {kind: 'commit'}}],
    })
    const {code} = await run(
      registry,
      argv`--fail-fast --concurrency 1 --retries 0 --report ${at('fast.json')} --failed ${at('fast.txt')}`,
    )
    const report = await readReport(at('fast.json'))
    expect(code).toBe(1)
    expect(report.images.map(({status}) => status)).toContain('skipped')
    expect((await readFile(at('fast.txt'), 'utf8')).split('\n').filter(Boolean)).toHaveLength(3)
    expect(faultsIn(registry)).toEqual([])
  })

  describe('--dry-run', () => {
    test('sends nothing, and says what would be sent', async () => {
      await using registry = await startRegistry({strict: true})
      const {code, stdout} = await run(registry, argv`--dry-run`)
      expect(code).toBe(0)
      for (const name of ['one', 'two', 'three']) {
        expect(stdout).toMatch(
          new RegExp(`gcr\\.io/team/${name}:v1 +-> +${registry.host}/ns/team/${name}:v1`),
        )
      }
      expect(stdout).toMatch(/3 to push, 0 present; at most .* to send; nothing was changed/)
      expect(registry.requests.filter(({method}) => method !== 'GET' && method !== 'HEAD')).toEqual([])
      expect(registry.repositories()).toEqual([])
    })

    test('with --json says the bytes that a push then sends', async () => {
      await using registry = await startRegistry({strict: true})
      await push({source, registry, namespace: 'ns', flags: argv`--include **/one:*`})
      const planned = parseReport(await run(registry, argv`--dry-run --json`))
      expect(planned.outcome).toBe('planned')
      expect(planned.images.map(({status}) => status)).toEqual(['present', 'planned', 'planned'])
      const done = parseReport(await run(registry, argv`--json`))
      expect(planned.totals.bytes.toSend).toBe(done.totals.bytes.uploaded)
      expect(planned.images.map(({bytesToSend}) => bytesToSend)).toEqual(
        done.images.map(({bytesUploaded}) => bytesUploaded),
      )
    })

    test('of a docker-archive says the plain size, at most', async () => {
      await using registry = await startRegistry({strict: true})
      const [image] = images
      if (image === undefined) throw new Error('no image')
      const path = await writeBundle(
        at('docker.tar'),
        dockerArchive([{image, tags: ['gcr.io/team/docker:v1']}]),
      )
      const planned = await push({source: path, registry, flags: argv`--dry-run`})
      const done = await push({source: path, registry})
      expect(planned.report.totals.bytes.toSend).toBeGreaterThanOrEqual(done.report.totals.bytes.uploaded)
      expect(planned.report.images[0]).toMatchObject({digestChanged: true})
    })
  })

  test('--quiet says nothing when nothing went wrong, and errors alone when something did', async () => {
    await using registry = await startRegistry({strict: true})
    const quiet = argv`--quiet --retries 0 --keep-going`
    expect(await run(registry, quiet)).toMatchObject({code: 0, stdout: '', stderr: ''})
    await using failing = await startRegistry({strict: true, faults: [refuseTwo]})
    const {code, stdout, stderr} = await run(failing, quiet)
    expect({code, stdout}).toEqual({code: 3, stdout: ''})
    expect(stderr).toMatch(/^error: target: .*two:v1/)
    expect(stderr).not.toMatch(/^pushed/m)
  })

  test('--progress json: one object a line, ending with how it went', async () => {
    await using registry = await startRegistry({strict: true})
    const {stderr} = await run(registry, argv`--progress json`)
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {type: string; elapsed: number; outcome?: string})
    expect(lines.map(({type}) => type)).toEqual(expect.arrayContaining(['plan', 'blob', 'image', 'finish']))
    expect(lines.at(-1)).toMatchObject({type: 'finish', outcome: 'ok'})
    expect(lines.every(({elapsed}) => elapsed >= 0)).toBe(true)
  })

  test('--progress none: only how it ended', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await run(registry, argv`--progress none`)
    expect(code).toBe(0)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/^3 images: 3 pushed/)
  })

  test('environment: MIRROR_FLAG_NAME sets a flag, one value a line where it may be repeated; flags win', async () => {
    await using registry = await startRegistry({strict: true})
    await writeFile(at('list.txt'), 'gcr.io/team/one:v1\ngcr.io/team/two:v1\ngcr.io/team/three:v1\n')
    const env = {
      MIRROR_SOURCE: source,
      MIRROR_PRIVATE_REGISTRY: `${registry.host}/from-environment`,
      MIRROR_PLAIN_HTTP: 'true',
      MIRROR_JSON: 'true',
      MIRROR_IMAGES: at('list.txt'),
      MIRROR_EXCLUDE: '**/two:*\n**/three:*\n',
      MIRROR_NEED_CREDENTIAL: 'false',
    }
    const all = await runMirror(argv`push`, {env})
    expect(all).toMatchObject({code: 0})
    expect(parseReport(all).images.map(({target}) => target)).toEqual([
      `${registry.host}/from-environment/team/one:v1`,
    ])
    const flagged = await runMirror(argv`push --private-registry ${registry.host}/flag --exclude **/one:*`, {
      env,
    })
    expect(parseReport(flagged).images.map(({target}) => target)).toEqual([
      `${registry.host}/flag/team/two:v1`,
      `${registry.host}/flag/team/three:v1`,
    ])
  })

  test.each([
    ['--source - and --images -', argv`push --source - --images - --private-registry host`],
    [
      '--source - and --password-stdin',
      argv`push --source - --password-stdin --username u --private-registry host`,
    ],
    ['--images - and --map -', argv`push --source x --images - --map - --private-registry host`],
    ['no --source', argv`push --private-registry host`],
    ['no --private-registry', argv`push --source x`],
    ['an unknown flag', argv`push --source x --private-registry host --no-such-flag`],
    ['an unknown command', argv`shove`],
    ['--retries many', argv`push --source x --private-registry host --retries many`],
    ['--chunk-size 1KX', argv`push --source x --private-registry host --chunk-size 1KX`],
    ['--concurrency 0', argv`push --source x --private-registry host --concurrency 0`],
    ['--client-cert without --client-key', argv`push --source x --private-registry host --client-cert x`],
    ['--username without a password', argv`push --source x --private-registry host --username x`],
    ['--need-credential=maybe', argv`push --source x --private-registry host --need-credential=maybe`],
    ['--cacert that is not there', argv`push --source x --private-registry host --cacert /nowhere/ca.pem`],
    ['--keep-going with --fail-fast', argv`push --source x --private-registry host --keep-going --fail-fast`],
    [
      '--scratch with --no-scratch',
      argv`push --source x --private-registry host --scratch /tmp --no-scratch`,
    ],
  ])('usage: %s is exit code 2 with a hint or a reason, and no stack', async (_name, args) => {
    const {code, stdout, stderr} = await runMirror(args, {stdin: ''})
    expect({code, stdout, stderr}).toMatchObject({code: 2, stdout: ''})
    expect(stderr).toMatch(/^error: \S/)
    expect(stderr).not.toMatch(/\n\s+at /)
  })

  test('--help and --version end with 0', async () => {
    const help = await runMirror(argv`push --help`)
    expect(help.code).toBe(0)
    expect(help.stdout).toContain('--private-registry')
    const version = await runMirror(argv`--version`)
    expect(version).toMatchObject({code: 0, stderr: ''})
    expect(version.stdout).toMatch(/^mirror \d+\.\d+\.\d+\n$/)
    const more = await runMirror(argv`--version --verbose`)
    expect(more.stdout).toMatch(/^mirror \S+\nNode\.js \S+ for \w+ \w+\nxz by [\w-]+, zstd by \w+\n/)
    expect((await runMirror(argv`push --verbose --version`)).stdout).toBe(more.stdout)
  })
})
