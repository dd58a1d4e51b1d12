import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  cleanEnvironment,
  makeImage,
  makeTempDir,
  mirrorProgram,
  runInTerminal,
  runMirror,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, parseReport, push, writeOciBundle} from './push.js'

describe('what was typed is understood, or refused before anything is done', () => {
  let directory: TempDir
  let source: string
  const at = (name: string): string => join(directory.path, name)

  beforeAll(async () => {
    directory = await makeTempDir()
    source = await writeOciBundle(directory.path, [
      named('gcr.io/team/one:v1', await makeImage({seed: 'one', layers: 1})),
    ])
  })
  afterAll(() => directory.remove())

  test('a list without images is an error, and one that a run wrote because nothing failed is none', async () => {
    await using registry = await startRegistry({strict: true})
    await writeFile(at('empty.txt'), '# to be filled\n\n')
    const slip = await push({source, registry, flags: argv`--images ${at('empty.txt')}`})
    expect({code: slip.code, stderr: slip.stderr}).toMatchObject({code: 2})
    expect(slip.stderr).toContain('empty.txt: no line names an image')
    expect(registry.requests).toEqual([])

    expect((await push({source, registry, flags: argv`--failed ${at('failed.txt')}`})).code).toBe(0)
    expect(await readFile(at('failed.txt'), 'utf8')).toBe('# mirror: nothing failed\n')
    const rest = await push({source, registry, flags: argv`--images ${at('failed.txt')}`})
    expect({code: rest.code, images: rest.report.images}).toEqual({code: 0, images: []})
    const synced = await runMirror(
      argv`sync --images ${at('failed.txt')} --private-registry ${registry.host} --plain-http --json`,
    )
    expect({code: synced.code, stderr: synced.stderr}).toMatchObject({code: 0})
    // Else everything that the list made before would go.
    const pruning = await runMirror(
      argv`sync --images ${at('failed.txt')} --private-registry ${registry.host} --plain-http --prune`,
    )
    expect(pruning.code).toBe(2)
  })

  test.each(['report', 'failed', 'metrics'])(
    '--%s in a directory that is not there is exit code 2, before anything is sent',
    async (flag) => {
      await using registry = await startRegistry({strict: true})
      const {code, stderr} = await push({source, registry, flags: [`--${flag}`, at('nowhere/file')]})
      expect({code}, `printed: ${stderr}`).toEqual({code: 2})
      expect(stderr).toContain(`--${flag} ${at('nowhere/file')} cannot be written: there is no directory`)
      expect(registry.requests).toEqual([])
    },
  )

  test('a file that cannot be written at the end is a warning, and the exit code is that of the run', async () => {
    await using registry = await startRegistry({strict: true})
    const full = await push({source, registry, flags: argv`--report /dev/full`})
    expect({code: full.code, stderr: full.stderr}).toMatchObject({code: 0})
    expect(full.stderr).toMatch(/^warning: cannot write \/dev\/full/m)
  })

  test.each(['ture', 'maybe', '2'])(
    'MIRROR_DRY_RUN=%s is exit code 2, and nothing is pushed',
    async (value) => {
      await using registry = await startRegistry({strict: true})
      const {code, stderr} = await push({source, registry, env: {MIRROR_DRY_RUN: value}})
      expect({code}, `printed: ${stderr}`).toEqual({code: 2})
      expect(stderr).toContain(`MIRROR_DRY_RUN is "${value}", which is neither true nor false`)
      expect(registry.requests).toEqual([])
    },
  )

  test.each(['on', 'yes', '1', 'TRUE'])('MIRROR_DRY_RUN=%s plans and pushes nothing', async (value) => {
    await using registry = await startRegistry({strict: true})
    const {code, report} = await push({source, registry, env: {MIRROR_DRY_RUN: value}})
    expect({code, outcome: report.outcome}).toEqual({code: 0, outcome: 'planned'})
    expect(registry.tags('team/one')).toEqual([])
  })

  test.each([
    ['--fail-fast', {MIRROR_KEEP_GOING: 'true'}],
    ['--keep-going', {MIRROR_FAIL_FAST: 'true'}],
    ['--no-scratch', {MIRROR_SCRATCH: '/nowhere'}],
    ['--no-state', {MIRROR_STATE: '/nowhere'}],
  ])('%s wins over the variable of its counterpart', async (flag, env) => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await push({source, registry, flags: [flag], env})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  })

  test('a variable that is no flag is warned of, with the nearest that is', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await push({
      source,
      registry,
      env: {MIRROR_DRYRUN: 'true', MIRROR_EXIT_CODE: '3', MIRROR_OUTCOME: 'partial'},
    })
    expect(code).toBe(0)
    expect(stderr.match(/^warning: .*/gm)).toEqual([
      'warning: MIRROR_DRYRUN is set, and no flag goes by it: MIRROR_DRY_RUN is the nearest',
    ])
  })

  test.each([
    ['an unknown flag', argv`push --json --source x --private-registry host --nonsense`, 'push'],
    ['a missing flag', argv`push --json --source x`, 'push'],
    ['an unknown command', argv`shove --json`, ''],
  ])('%s with --json is a report with an error on standard output', async (_what, args, command) => {
    const result = await runMirror(args)
    expect(result.code).toBe(2)
    expect(parseReport(result)).toMatchObject({
      schema: 'mirror.report/v1',
      command,
      outcome: 'failed',
      error: {code: 'USAGE'},
    })
  })

  test.each([[[]], [['config']]])('the arguments %j print help, and end with 2', async (args) => {
    const {code, stdout} = await runMirror(args)
    expect({code, stdout}).toEqual({code: 2, stdout: expect.stringContaining('Usage:')})
  })

  test.each([[['help', 'push']], [['push', '-h']]])(
    'the arguments %j print the help of push',
    async (args) => {
      const {code, stdout} = await runMirror(args)
      expect({code, stdout}).toEqual({code: 0, stdout: expect.stringContaining('--private-registry')})
    },
  )

  test('an unknown word behind a command is an unexpected argument, and no command that is not found', async () => {
    const {code, stderr} = await runMirror(argv`push foo --source x --private-registry host`)
    expect({code, stderr}).toEqual({
      code: 2,
      stderr: 'error: unexpected argument "foo"\nhint: Run "mirror push --help" to see how it is used.\n',
    })
  })

  test('a repeatable flag takes one value, and the arguments behind it stay arguments', async () => {
    const {code, stderr} = await runMirror(argv`copy --platform linux/amd64 nonsense:a oci:b`)
    expect(code).toBe(2)
    expect(stderr).toContain('names no transport')
  })

  test('help has no colours on a terminal, with NO_COLOR and without', async () => {
    for (const env of [{}, {NO_COLOR: '1'}, {FORCE_COLOR: '1'}])
      expect((await runMirror(argv`push --help`, {env})).stdout).not.toContain('\u001b')
  })

  test.each([
    ['dumb', false],
    ['xterm', true],
  ])('a terminal that is %s gets bars: %s', async (term, bars) => {
    await using registry = await startRegistry({strict: true})
    const flags = argv`push --source ${source} --private-registry ${registry.host} --plain-http --no-state`
    const {transcript} = await runInTerminal(process.execPath, [mirrorProgram(), ...flags], {
      env: {...cleanEnvironment(directory.path), TERM: term},
      dialogue: [],
    })
    expect(transcript).toContain('pushed')
    expect(transcript.includes('\u001B')).toBe(bars)
  })

  test.each([['version'], ['-v']])('%s prints the version', async (argument) => {
    expect(await runMirror([argument])).toMatchObject({
      code: 0,
      stdout: (await runMirror(['--version'])).stdout,
    })
    expect(await runMirror([argument, '--verbose'])).toMatchObject({
      code: 0,
      stdout: (await runMirror(['--version', '--verbose'])).stdout,
    })
  })

  test.skipIf(process.platform !== 'linux')('--state in /proc is a note, and the push goes on', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr} = await push({source, registry, flags: argv`--state /proc/nope`})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(stderr).toContain('/proc/nope')
  })

  test('a sync that the lock keeps out keeps the time of the last success in its metrics', async () => {
    await using registry = await startRegistry({strict: true})
    await push({source, registry})
    await writeFile(at('list.txt'), `${registry.host}/team/one:v1\n`)
    const flags = argv`sync --images ${at('list.txt')} --private-registry ${registry.host}/copy --plain-http
      --source-plain-http --state ${at('state')} --metrics ${at('sync.prom')}`
    expect(await runMirror(flags)).toMatchObject({code: 0})
    const success = (text: string): string | undefined => /^mirror_last_success_.*$/m.exec(text)?.[0]
    const before = success(await readFile(at('sync.prom'), 'utf8'))
    expect(before).toMatch(/target="[^"]+"\} 1\d+/)
    const bad = await runMirror([...flags, '--include', 'no/such/image'])
    expect(bad.code).toBe(2)
    expect(success(await readFile(at('sync.prom'), 'utf8'))).toBe(before)
    const worse = await runMirror([...flags, '--max-depth', 'x'])
    expect(worse.code).toBe(2)
    expect(
      success(await readFile(at('sync.prom'), 'utf8'))
        ?.split(' ')
        .at(-1),
    ).toBe(before?.split(' ').at(-1))
  })

  test('a choice or a rule that no image meets is warned of', async () => {
    await using registry = await startRegistry({strict: true})
    await writeFile(at('map.txt'), 'gcr.io/team/two:v1 other:v1\n')
    const {code, stderr} = await push({
      source,
      registry,
      flags: argv`--include **/one:* --include quay.io/** --rewrite ^nobody/=x/ --map ${at('map.txt')}`,
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(stderr.match(/^warning: .*/gm)).toEqual([
      'warning: --include quay.io/** matches no image of the bundle',
      'warning: --rewrite ^nobody/=x/ changes the name of no image of the bundle',
      'warning: --map names gcr.io/team/two:v1, which the bundle does not have',
    ])
  })

  test('a list for another host is told which image of the bundle has its path', async () => {
    await using registry = await startRegistry({strict: true})
    await writeFile(at('other.txt'), 'quay.io/team/one:v1\n')
    const {code, stderr} = await push({source, registry, flags: argv`--images ${at('other.txt')}`})
    expect(code).toBe(2)
    expect(stderr).toContain(
      'line 1: quay.io/team/one:v1 (the bundle has gcr.io/team/one:v1: same path, other host)',
    )
  })
})
