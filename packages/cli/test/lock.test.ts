import {fateOf, thisProcess} from '@airgap-mirror/oci-client/model'
import {createHash} from 'node:crypto'
import {mkdir, readdir, readFile, rm, stat, utimes, writeFile} from 'node:fs/promises'
import {hostname} from 'node:os'
import {join} from 'node:path'
import {makeTempDir, runChild, type Child, type TempDir, timesTried} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {acquireLock, type LockOptions} from '#src/state/lock.js'
import {lockProcess} from './lock-process.js'

const KEY = 'host:5000/ns'
let temporary: TempDir
let children: Child[]
beforeEach(async () => {
  temporary = await makeTempDir()
  children = []
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await Promise.allSettled(children.map(({result}) => result))
  await temporary.remove()
})

function acquire(options: Partial<LockOptions> = {}) {
  return acquireLock(temporary.path, {key: KEY, wait: 0, ...options})
}

async function isFree(options: Partial<LockOptions> = {}): Promise<boolean> {
  await using lock = await acquire(options)
  return await lock.held()
}

function start(script: string): Child {
  const child = lockProcess(temporary.path, script)
  children.push(child)
  return child
}

function queueOf(key = KEY): string {
  return join(temporary.path, 'v1', 'locks', createHash('sha256').update(key).digest('hex'))
}

/** A lock that somebody has left, `age` milliseconds after the last sign of life. */
async function leave(
  holder: object | string,
  {age = 0, key = KEY, number = 7}: {age?: number; key?: string; number?: number} = {},
): Promise<void> {
  await mkdir(queueOf(key), {recursive: true})
  const path = join(queueOf(key), String(number))
  const text =
    typeof holder === 'string' ? holder : `held    \n${JSON.stringify({...holder, id: Math.random()})}\n`
  await writeFile(path, text)
  const then = new Date(Date.now() - age)
  await utimes(path, then, then)
}

async function deadProcess(): Promise<number> {
  const {stdout} = await runChild(process.execPath, ['-p', 'process.pid'])
  return Number(stdout)
}

const locked = {code: 'STATE_LOCKED'}

describe('a lock', () => {
  it('is had by one at a time, and says by whom', async () => {
    const lock = await acquire()
    await expect(acquire()).rejects.toMatchObject({
      ...locked,
      message: expect.stringMatching(
        `^another run is at work: process ${process.pid} on ${hostname()}, since \\d{4}-.*Z$`,
      ) as string,
      advice: {kind: 'wait-for-lock'},
    })
    expect(await isFree({key: 'another'})).toBe(true)
    expect(await lock.held()).toBe(true)
    await lock[Symbol.asyncDispose]()
    expect(await lock.held()).toBe(false)
    expect(lock.signal.aborted).toBe(false)
    expect(await isFree()).toBe(true)
  })

  it('leaves one small file behind, for nobody else to read', async () => {
    for (let run = 0; run < 5; run += 1) await (await acquire())[Symbol.asyncDispose]()
    expect(await readdir(queueOf())).toEqual(['5'])
    expect((await stat(join(queueOf(), '5'))).mode & 0o777).toBe(0o600)
    expect((await stat(queueOf())).mode & 0o777).toBe(0o700)
    expect(await readFile(join(queueOf(), '5'), 'utf8')).toMatch(/^released\n\{.*\}\n$/)
  })

  it('is waited for, and that is said once', async () => {
    const told: string[] = []
    const first = await acquire()
    const second = acquire({wait: 60_000, onWait: (text) => void told.push(text)})
    await expect
      .poll(() => told)
      .toEqual([expect.stringContaining(`waiting for another run to end: process ${process.pid} on`)])
    await first[Symbol.asyncDispose]()
    await (await second)[Symbol.asyncDispose]()
    expect(told.length).toBe(1)
  })

  it('is waited for no longer than was asked, nor after the run was stopped', async () => {
    await using lock = await acquire()
    const begin = performance.now()
    await expect(acquire({wait: 200})).rejects.toMatchObject(locked)
    expect(performance.now() - begin).toBeGreaterThan(195)
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await expect(acquire({wait: 60_000, signal: stop.signal})).rejects.toMatchObject({code: 'CANCELLED'})
    await expect(acquire({signal: stop.signal})).rejects.toMatchObject({code: 'CANCELLED'})
    expect(await lock.held()).toBe(true)
  })

  it('that cannot be made is told with its place', async () => {
    await writeFile(join(temporary.path, 'v1'), '')
    await expect(acquire()).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining(temporary.path) as string,
    })
  })

  it('is lost when the state is removed, and that is noticed', async () => {
    await using lock = await acquire({heartbeat: 20})
    await rm(temporary.path, {recursive: true})
    await expect.poll(() => lock.signal.aborted).toBe(true)
    expect(lock.signal.reason).toMatchObject(locked)
    expect(await lock.held()).toBe(false)
  })
})

describe('a lock that was left behind', () => {
  it('by a process that was killed is free at once', async () => {
    const child = start(
      `await acquireLock(directory, {key: '${KEY}', wait: 0}); say('held'); await sleep(3_600_000)`,
    )
    await expect.poll(() => child.stdout).toBe('held\n')
    await expect(acquire()).rejects.toMatchObject({message: expect.stringContaining(`process ${child.pid} `)})
    child.kill('SIGKILL')
    await child.result
    expect(await isFree()).toBe(true)
  })

  it('by a process that ended without releasing it does not keep that process alive, and is free', async () => {
    const child = start(`await acquireLock(directory, {key: '${KEY}', wait: 0})`)
    expect(await child.result).toMatchObject({code: 0, stderr: ''})
    expect(await isFree()).toBe(true)
  })

  it('by a process that nobody has waited for is free', async () => {
    // The shell starts it and becomes a program that never waits for its children.
    const script = `import {spawn} from 'node:child_process'
      const child = spawn('/bin/sh', ['-c', '"$0" -e "" & echo $!; exec sleep 60', process.execPath])
      child.stdout.once('data', (pid) => say(String(pid).trim()))`
    const child = start(script)
    await expect.poll(() => child.stdout).not.toBe('')
    const pid = Number(child.stdout)
    await expect.poll(() => readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/^\d+ \(.*\) Z/)
    const self = await thisProcess()
    await leave({...self, pid, start: '1'})
    expect(await isFree()).toBe(true)
  })

  it.runIf(process.platform === 'linux')('by an earlier process of the same number is free', async () => {
    const self = await thisProcess()
    await leave({...self, start: String(Number(self.start) - 1)})
    expect(await isFree()).toBe(true)
  })

  it('before the machine was started anew is free, but in containers a name does not name a machine', async () => {
    const [machine, container] = ['pid:[4026531836]', 'pid:[4026532500]']
    const fateIn = async (namespace: string) => {
      const self = {...(await thisProcess()), namespace, boot: 'now'}
      return fateOf({...self, boot: 'before'}, self)
    }
    expect(await fateIn(machine)).toBe('gone')
    expect(await fateIn(container)).toBe('unknown')
  })

  const elsewhere = {host: 'mirror-28391', pid: 1, since: '2026-01-02T03:04:05.000Z', start: '1', boot: 'b'}

  it.each([
    ['on another host', elsewhere],
    ['in another container of this machine', 'namespace'],
    ['nobody can tell by whom', 'held    \n{"host":'],
    ['with nothing in it', ''],
    ['by a process whose number is none', 'held    \n{"host":"a","pid":-1,"since":"2026-01-02"}'],
  ])('%s is free once its heartbeat has stopped for two minutes', async (_where, holder) => {
    const left = holder === 'namespace' ? {...(await thisProcess()), pid: 1, namespace: 'pid:[1]'} : holder
    await leave(left, {age: 100_000})
    await expect(acquire()).rejects.toMatchObject(locked)
    await leave(left, {age: 125_000})
    expect(await isFree()).toBe(true)
  })

  it('whose text is hostile is not shown as it is', async () => {
    await leave({...elsewhere, host: '\u001B[2Jhost'})
    await expect(acquire()).rejects.toMatchObject({
      message: 'another run is at work: its name cannot be read',
    })
  })

  it('is noticed by who held it and was taken for dead, and who leaves it to the new one', async () => {
    const first = await acquire({heartbeat: 60_000})
    // As if it had been another host's that stood still.
    await leave(elsewhere, {age: 125_000, number: 1})
    const second = await acquire()
    expect(await first.held()).toBe(false)
    expect(first.signal.reason).toMatchObject(locked)
    await first[Symbol.asyncDispose]()
    expect(await second.held()).toBe(true)
    await expect(acquire()).rejects.toMatchObject(locked)
    await second[Symbol.asyncDispose]()
  })

  it('shows by its age that its holder lives', async () => {
    await using lock = await acquire({heartbeat: 30})
    const path = join(queueOf(), '1')
    const old = new Date(Date.now() - 110_000)
    await utimes(path, old, old)
    await expect.poll(async () => Date.now() - (await stat(path)).mtimeMs).toBeLessThan(10_000)
    expect(lock.signal.aborted).toBe(false)
  })
})

describe('many processes', () => {
  it('that find the same dead holder make one successor', async () => {
    const [processes, rounds] = [6, timesTried(20)]
    const holder = {...(await thisProcess()), pid: await deadProcess()}
    for (let round = 0; round < rounds; round += 1) await leave(holder, {key: `round ${round}`, number: 1})
    const script = `
      const together = async (moment) => {
        await (await open(directory + '/' + moment + '-' + process.pid, 'wx')).close()
        const arrived = async () => (await readdir(directory)).filter((name) => name.startsWith(moment + '-')).length
        while ((await arrived()) < ${processes}) await sleep(5)
      }
      await together('begin')
      const begin = Date.now()
      for (let round = 0; round < ${rounds}; round += 1) {
        await sleep(Math.max(0, begin + round * 30 - Date.now()))
        // several at once in each process, too: with two processors there is little that happens at the same time
        const attempts = Array.from({length: 4}, () => acquireLock(directory, {key: 'round ' + round, wait: 0}).then(
          () => say('won ' + round),
          (error) => { if (error.code !== 'STATE_LOCKED') say(error.stack) },
        ))
        await Promise.all(attempts)
      }
      await together('end')`
    const runs = Array.from({length: processes}, () => start(script))
    const results = await Promise.all(runs.map(({result}) => result))
    const won = results.flatMap(({stdout}) => stdout.split('\n').filter((line) => line !== ''))
    expect(won.sort()).toEqual(Array.from({length: rounds}, (_, round) => `won ${round}`).sort())
    // More than one of them has to have won for this to have been a race.
    expect(results.filter(({stdout}) => stdout.includes('won')).length).toBeGreaterThan(1)
  })

  it('never hold it together, some of them killed while they do', async () => {
    const script = `
      const inside = directory + '/inside'
      for (let turn = 0; turn < 20; turn += 1) {
        const lock = await acquireLock(directory, {key: 'all', wait: 240_000})
        try { await (await open(inside, 'wx')).close() } catch { say('TOGETHER') }
        await sleep(Math.random() * 4)
        if (!(await lock.held())) say('LOST')
        await rm(inside)
        say('turn')
        if (Math.random() < 0.05) process.kill(process.pid, 'SIGKILL')
        await lock[Symbol.asyncDispose]()
        await sleep(Math.random() * 10)
      }`
    const work = async (): Promise<readonly string[]> => {
      const lines: string[] = []
      for (let run = 0; run < timesTried(3); run += 1) {
        const {stdout, stderr, signal} = await start(script).result
        lines.push(...stdout.split('\n'), stderr, signal === undefined ? '' : 'killed')
      }
      return lines.filter((line) => line !== '')
    }
    const lines = (await Promise.all(Array.from({length: 4}, work))).flat()
    expect(new Set(lines)).toEqual(new Set(['turn', 'killed']))
    expect(lines.filter((line) => line === 'turn').length).toBeGreaterThan(50)
    expect((await readdir(queueOf('all'))).filter((name) => !name.startsWith('.')).length).toBeLessThan(5)
  })
})
