import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {makeTempDir, runChild, type TempDir} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {runNotifyCommand, type NotifyOptions} from '#src/run/notify.js'
import {failed, image, reportOf} from './report-fixtures.js'

let temporary: TempDir
beforeEach(async () => {
  temporary = await makeTempDir()
})
afterEach(() => temporary.remove())

const report = reportOf([image('a:1'), failed('b:1')])
function notify(command: string, options: Partial<NotifyOptions> = {}) {
  return runNotifyCommand(command, {report, exitCode: 3, ...options})
}
function path(name: string): string {
  return join(temporary.path, name)
}

/** Returns false for a process that was killed, even if no parent has asked for its end. */
async function isAlive(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
}

describe('the notify command', () => {
  it('reads the report, and how it ended from its environment', async () => {
    const command = `cat > ${path('in')}; echo "$MIRROR_EXIT_CODE $MIRROR_OUTCOME $PATH" > ${path('env')}`
    expect(await notify(command)).toBeUndefined()
    expect(JSON.parse(await readFile(path('in'), 'utf8'))).toEqual(report)
    expect(await readFile(path('env'), 'utf8')).toBe(`3 partial ${process.env['PATH']}\n`)
  })

  it('shows its text to no other user, and gets no password of the registries', async () => {
    process.env['MIRROR_PASSWORD'] = 'hunter2'
    process.env['MIRROR_SOURCE_PASSWORD'] = 'hunter3'
    process.env['MIRROR_PROXY'] = 'http://p:hunter4@proxy.example'
    process.env['MIRROR_NOTIFY_COMMAND'] = 'curl https://hooks.example/hunter5'
    try {
      const token = 'T0ken-of-a-web-hook'
      const command = `: ${token}; tr '\\0' ' ' < /proc/$$/cmdline > ${path('args')}; env > ${path('env')}`
      expect(await notify(command)).toBeUndefined()
      expect(await readFile(path('args'), 'utf8')).not.toContain(token)
      expect(await readFile(path('env'), 'utf8')).not.toMatch(/hunter/)
    } finally {
      delete process.env['MIRROR_PASSWORD']
      delete process.env['MIRROR_SOURCE_PASSWORD']
    }
  })

  it('need not read a report that is larger than a pipe', async () => {
    const large = reportOf(Array.from({length: 5000}, (_, index) => image(`a:${index}`)))
    for (const command of ['exec true', 'head -c 1 > /dev/null', 'exec <&-; sleep 0.1'])
      expect(await notify(command, {report: large})).toBeUndefined()
    expect(await notify(`cat > ${path('in')}`, {report: large})).toBeUndefined()
    expect(JSON.parse(await readFile(path('in'), 'utf8'))).toEqual(large)
  })

  it.each([
    ['exit 7', 'the notify command ended with exit code 7'],
    ['kill -TERM $$', 'the notify command was ended by SIGTERM'],
    ['\0', /^the notify command could not be started: /],
  ])('that fails (%j) is told by a text', async (command, text) => {
    expect(await notify(command)).toMatch(text)
  })

  it('that does not end is killed', async () => {
    expect(await notify('sleep 3600; true', {timeout: 100})).toBe('the notify command was killed after 0.1 s')
  })

  it('is killed with all it has started when the run is stopped, and not begun after that', async () => {
    const stop = new AbortController()
    const begun = notify(`sleep 3600 & echo $! > ${path('pid')}; sleep 3600; true`, {signal: stop.signal})
    await expect.poll(() => readFile(path('pid'), 'utf8').catch(() => '')).toMatch(/^\d+\n$/)
    const pid = (await readFile(path('pid'), 'utf8')).trim()
    expect(await isAlive(pid)).toBe(true)
    stop.abort()
    expect(await begun).toBe('the notify command was killed, since this run was stopped')
    await expect.poll(() => isAlive(pid)).toBe(false)
    expect(await notify(`touch ${path('run')}`, {signal: stop.signal})).toContain('was not run')
    await expect(readFile(path('run'))).rejects.toMatchObject({code: 'ENOENT'})
  })

  it('does not wait for what was left in the background', async () => {
    expect(await notify(`sleep 3600 & echo $! > ${path('pid')}`)).toBeUndefined()
    process.kill(Number(await readFile(path('pid'), 'utf8')))
  })

  it('prints to standard error, and never to standard output', async () => {
    const script = `
      import {runNotifyCommand} from ${JSON.stringify(fileURLToPath(new URL('../dist/run/notify.js', import.meta.url)))}
      const report = ${JSON.stringify(report)}
      process.stdout.write(String(await runNotifyCommand('echo out; echo err >&2', {report, exitCode: 3})))`
    const result = await runChild(process.execPath, ['--input-type=module', '-e', script], {
      env: {PATH: process.env['PATH']},
    })
    expect(result).toMatchObject({stdout: 'undefined', stderr: 'out\nerr\n', code: 0})
  })
})
