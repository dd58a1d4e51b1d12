import {spawn} from 'node:child_process'
import {once} from 'node:events'
import net from 'node:net'
import {fileURLToPath} from 'node:url'

/** A longer way to a registry on this machine, in a process of its own so that it delays nobody else. */
export interface DelayProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
}

/** The script itself: `node delay-proxy.js PORT MILLISECONDS` prints the port it listens on, and ends with its standard input. */
const script = fileURLToPath(import.meta.url)

/** Enough on its way for a gigabyte per second over 10 ms: the delay is what is felt, not the bandwidth. */
const MOST_ON_ITS_WAY = 16 * 1024 * 1024

/** @param host of the registry, `127.0.0.1:PORT`; `milliseconds` later is what comes out, in each direction */
export async function startDelayProxy(
  host: string,
  {milliseconds}: {readonly milliseconds: number},
): Promise<DelayProxy> {
  const port = host.slice(host.lastIndexOf(':') + 1)
  const child = spawn(process.execPath, [script, port, String(milliseconds)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown]
  if (!Buffer.isBuffer(line)) throw new Error('the proxy did not start')
  return {
    host: `127.0.0.1:${line.toString().trim()}`,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await ended
    },
  }
}

/** Everything in its order, each chunk so much later; the end of the stream as well. */
function carry(from: net.Socket, {to, milliseconds}: {to: net.Socket; milliseconds: number}): void {
  let onItsWay = 0
  from.on('data', (chunk) => {
    onItsWay += chunk.length
    if (onItsWay > MOST_ON_ITS_WAY) from.pause()
    setTimeout(() => {
      to.write(chunk, () => {
        onItsWay -= chunk.length
        from.resume()
      })
    }, milliseconds)
  })
  from.once('end', () => setTimeout(() => to.end(), milliseconds))
  from.once('error', () => to.destroy())
  from.once('close', () => setTimeout(() => to.destroy(), 2 * milliseconds))
}

function serve(port: number, milliseconds: number): void {
  const open = new Set<net.Socket>()
  const server = net.createServer({allowHalfOpen: true, noDelay: true}, (near) => {
    const far = net.connect({port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true})
    for (const socket of [near, far]) open.add(socket.once('close', () => open.delete(socket)))
    carry(near, {to: far, milliseconds})
    carry(far, {to: near, milliseconds})
  })
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${(server.address() as net.AddressInfo).port}\n`)
  })
  process.stdin.resume().once('end', () => {
    server.close()
    for (const socket of open) socket.destroy()
  })
}

if (process.argv[1] === script) serve(Number(process.argv[2]), Number(process.argv[3]))
