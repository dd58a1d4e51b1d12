import {spawn} from 'node:child_process'
import {once} from 'node:events'
import type {Readable, Writable} from 'node:stream'
import {pathToFileURL} from 'node:url'
import {cleanEnvironment} from './run-mirror.js'
import {makeTempDir} from './temp-dir.js'

/** A page in Debian's Chromium, which is told what to do by the DevTools protocol. */
export interface BrowserPage extends AsyncDisposable {
  /** The addresses that were asked for since the page was opened, that of the page among them. */
  readonly requests: readonly string[]
  /** Calls a method of the protocol. @throws its error */
  send(method: string, params?: object): Promise<Readonly<Record<string, unknown>>>
  /** Evaluates an expression in the page. */
  evaluate(expression: string): Promise<unknown>
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: {readonly message: string}
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-pipe',
]

/** Opens a file in a browser of its own, and waits until it is loaded. */
export async function openInBrowser(path: string): Promise<BrowserPage> {
  const home = await makeTempDir()
  const child = spawn('chromium', [...FLAGS, `--user-data-dir=${home.path}/profile`, 'about:blank'], {
    env: cleanEnvironment(home.path),
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable]
  const waiting = new Map<number, (message: Message) => void>()
  const requests: string[] = []
  let onLoaded = (): void => {}
  const loaded = new Promise<void>((resolve) => (onLoaded = resolve))
  const take = (message: Message): void => {
    if (message.id !== undefined) waiting.get(message.id)?.(message)
    if (message.method === 'Page.loadEventFired') onLoaded()
    if (message.method === 'Network.requestWillBeSent') {
      const request = message.params?.['request'] as {readonly url: string} | undefined
      requests.push(request?.url ?? '')
    }
  }
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\0')
    rest = parts.pop() ?? ''
    for (const part of parts) take(JSON.parse(part) as Message)
  })
  let count = 0
  const call = async (
    method: string,
    params: object,
    sessionId?: string,
  ): Promise<NonNullable<Message['result']>> => {
    const id = ++count
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve))
    input.write(`${JSON.stringify({id, method, params, sessionId})}\0`)
    const gone = ended.then((): Message => ({error: {message: 'the browser has ended'}}))
    const {result, error} = await Promise.race([answer, gone])
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result ?? {}
  }
  const {targetId} = await call('Target.createTarget', {url: 'about:blank'})
  const {sessionId} = await call('Target.attachToTarget', {targetId, flatten: true})
  const send: BrowserPage['send'] = (method, params = {}) => call(method, params, String(sessionId))
  await send('Network.enable')
  await send('Page.enable')
  await send('Page.navigate', {url: pathToFileURL(path).href})
  await loaded
  return {
    requests,
    send,
    evaluate: async (expression) => {
      const {result} = await send('Runtime.evaluate', {expression, returnByValue: true})
      return (result as {readonly value?: unknown}).value
    },
    [Symbol.asyncDispose]: async () => {
      // Closed rather than killed, so that none of its processes still writes into its profile.
      await call('Browser.close', {}).catch(() => child.kill('SIGKILL'))
      await ended
      await home.remove()
    },
  }
}
