import {spawn, spawnSync} from 'node:child_process'
import {closeSync, existsSync, openSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import {makeImage, makeTempDir, mirrorProgram, requireTool} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {syncScene} from './sync.js'
import {named, writeOciBundle} from './push.js'
import {until} from './until.js'

const UNKNOWN = ['--reuid=65532', '--regid=65532', '--clear-groups']

test.each([
  ['an empty environment', []],
  ['a home that it may not write to', ['HOME=/root', 'PATH=/usr/bin:/bin']],
])('a uid without an entry in passwd can ask for help, with %s', (_what, environment) => {
  if (process.getuid?.() !== 0) return
  const program = mirrorProgram()
  const run = ['env', '-i', ...environment, process.execPath, program, 'sync', '--help']
  const {status, stderr, stdout} = spawnSync('setpriv', [...UNKNOWN, ...run], {cwd: '/', encoding: 'utf8'})
  expect({status, stderr}).toEqual({status: 0, stderr: ''})
  expect(stdout).toContain('--private-registry')
})

test('a uid without an entry in passwd syncs with an empty environment, and warns that no state is kept', async (context) => {
  requireTool(context, 'setpriv')
  if (process.getuid?.() !== 0) context.skip('only root becomes another user')
  await using scene = await syncScene()
  const reference = await scene.add('app:v1')
  const list = await scene.list(reference)
  const flags = argv`sync --images ${list} --private-registry ${scene.target.host}/mirror --plain-http --source-plain-http`
  spawnSync('chmod', ['-R', 'a+rX', scene.directory])
  const child = spawn('setpriv', [...UNKNOWN, 'env', '-i', process.execPath, mirrorProgram(), ...flags], {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(stderr).toContain('state')
  expect(scene.at('app:v1')).toBeDefined()
})

test('a standard error on a full disk does not end a run', async (context) => {
  if (!existsSync('/dev/full')) context.skip('no /dev/full')
  const home = await makeTempDir()
  onTestFinished(() => home.remove())
  await using registry = await startRegistry({strict: true})
  const source = await writeOciBundle(home.path, [
    named('gcr.io/team/app:v1', await makeImage({seed: 'full'})),
  ])
  const full = openSync('/dev/full', 'w')
  const code = await new Promise((resolve) => {
    const command = argv`push --source ${source} --private-registry ${registry.host}/x --plain-http`
    spawn(process.execPath, [mirrorProgram(), ...command], {
      cwd: home.path,
      stdio: ['ignore', 'ignore', full],
    }).on('close', resolve)
  })
  closeSync(full)
  expect(code).toBe(0)
  expect(registry.tags('x/team/app')).toEqual(['v1'])
})

test('a standard error whose reader is gone does not end a run', async () => {
  const home = await makeTempDir()
  onTestFinished(() => home.remove())
  await using registry = await startRegistry({strict: true})
  const source = await writeOciBundle(home.path, [
    named('gcr.io/team/app:v1', await makeImage({seed: 'gone'})),
  ])
  const command = argv`push --source ${source} --private-registry ${registry.host}/x --plain-http`
  const child = spawn(process.execPath, [mirrorProgram(), ...command], {
    cwd: home.path,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr.destroy()
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0)
  expect(registry.tags('x/team/app')).toEqual(['v1'])
})

test('a standard output that cannot take the report fails the run', async (context) => {
  if (!existsSync('/dev/full')) context.skip('no /dev/full')
  const home = await makeTempDir()
  onTestFinished(() => home.remove())
  await using registry = await startRegistry({strict: true})
  const source = await writeOciBundle(home.path, [
    named('gcr.io/team/app:v1', await makeImage({seed: 'out'})),
  ])
  const command = argv`push --source ${source} --private-registry ${registry.host}/x --plain-http --json`
  const full = openSync('/dev/full', 'w')
  let stderr = ''
  const code = await new Promise((resolve) => {
    const child = spawn(process.execPath, [mirrorProgram(), ...command], {
      cwd: home.path,
      stdio: ['ignore', full, 'pipe'],
    })
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('close', resolve)
  })
  closeSync(full)
  expect({code}, `printed: ${stderr}`).toEqual({code: 1})
  expect(stderr).toContain('cannot write to standard output')
})

test.skipIf(process.platform !== 'linux').each([
  ['by a shell that tells it of that, ends in order, and writes its report', 'SIGHUP', 129, 'cancelled'],
  ['and tells nobody of that, is done all the same', undefined, 0, 'ok'],
] as const)('a run whose terminal is closed %s', async (_what, signal, expected, outcome) => {
  const home = await makeTempDir()
  onTestFinished(() => home.remove())
  await using registry = await startRegistry({strict: true, latency: 30})
  const images = Array.from({length: 6}, async (_, index) =>
    named(`gcr.io/team/app${index}:v1`, await makeImage({seed: `closed ${index}`, layers: 2})),
  )
  const source = await writeOciBundle(home.path, await Promise.all(images))
  const [report, pid, code] = ['report.json', 'pid', 'code'].map((name) => join(home.path, name)) as [
    string,
    string,
    string,
  ]
  const words = argv`${process.execPath} ${mirrorProgram()} push --source ${source} --private-registry ${registry.host}/x
    --plain-http --concurrency 1 --report ${report}`
  // The shell outlives its terminal, so that it can tell how the program ended.
  const command = words.map((word) => `'${word}'`).join(' ')
  const line = `trap '' HUP; ${command} & echo $! >'${pid}'; wait $!; echo $? >'${code}'`
  const terminal = spawn('script', ['-qfec', line, '/dev/null'], {
    cwd: home.path,
    env: {PATH: process.env['PATH'] ?? '', HOME: home.path, SHELL: '/bin/sh', TERM: 'xterm'},
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  await until(() => registry.repositories().some((repository) => registry.tags(repository).length > 0))
  terminal.kill('SIGKILL')
  if (signal !== undefined) process.kill(Number(readFileSync(pid, 'utf8')), signal)
  await until(() => existsSync(code) && readFileSync(code, 'utf8') !== '')
  expect(readFileSync(code, 'utf8').trim()).toBe(String(expected))
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({outcome, exitCode: expected})
  expect(registry.fsck()).toEqual([])
})
