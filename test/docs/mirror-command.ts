import {createServer, type Socket} from 'node:net'
import {chmod, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {once} from 'node:events'
import {runMirror} from '@airgap-mirror/test/kit'

/** Asks a server in JSON, sends standard input after it, and prints the frames of the answer: kind, length, bytes. */
const CLIENT = `const {connect} = require('node:net')
const [, , path, ...args] = process.argv
const socket = connect(path)
process.exitCode = 70
socket.write(JSON.stringify({args, cwd: process.cwd(), env: process.env}) + '\\n')
process.stdin.on('error', () => undefined).pipe(socket)
let rest = Buffer.alloc(0)
socket.on('data', (chunk) => {
  rest = Buffer.concat([rest, chunk])
  while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
    const [kind] = rest
    const bytes = rest.subarray(5, 5 + rest.readUInt32BE(1))
    rest = rest.subarray(5 + bytes.length)
    if (kind === 0) process.exitCode = Number(bytes)
    else if (kind === 1) process.stdout.write(bytes)
    else process.stderr.write(bytes)
  }
})
socket.on('close', () => process.stdin.destroy())
`

interface Asked {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Puts a command `mirror` into a directory. The program that it stands for runs in this process, with the arguments,
 * environment, working directory and standard input of the caller: a start of the program costs five times as much.
 */
export async function installMirror(directory: string, {home}: {home: string}): Promise<AsyncDisposable> {
  const path = join(directory, 'mirror.sock')
  const open = new Set<Socket>()
  const server = createServer({allowHalfOpen: true}, (socket) => {
    open.add(socket)
    socket.on('error', () => undefined).on('close', () => open.delete(socket))
    void answer(socket, home)
  })
  server.listen(path)
  await once(server, 'listening')
  await writeFile(join(directory, 'mirror.cjs'), CLIENT)
  const command = join(directory, 'mirror')
  await writeFile(
    command,
    `#!/bin/sh\nexec '${process.execPath}' '${join(directory, 'mirror.cjs')}' '${path}' "$@"\n`,
  )
  await chmod(command, 0o755)
  return {
    [Symbol.asyncDispose]: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}

async function answer(socket: Socket, home: string): Promise<void> {
  const frame = (kind: number, bytes: Uint8Array): void => {
    const head = Buffer.alloc(5)
    head[0] = kind
    head.writeUInt32BE(bytes.length, 1)
    socket.write(Buffer.concat([head, bytes]))
  }
  try {
    // The end of standard input must not close the way back.
    const chunks = socket.iterator({destroyOnReturn: false}) as AsyncIterator<Buffer>
    const {args, cwd, env, stdin} = await readAsked(chunks)
    const {code} = await runMirror(args, {
      home,
      cwd,
      env,
      stdin,
      onOutput: (name, bytes) => frame(name === 'stdout' ? 1 : 2, bytes),
    })
    frame(0, Buffer.from(String(code ?? 1)))
  } catch (error) {
    frame(2, Buffer.from(`the program could not be run: ${String(error)}\n`))
    frame(0, Buffer.from('70'))
  }
  socket.end()
}

/** Reads the line that asks; what follows it is standard input. */
async function readAsked(
  chunks: AsyncIterator<Buffer>,
): Promise<Asked & {readonly stdin: AsyncIterable<Uint8Array>}> {
  let read = Buffer.alloc(0)
  while (!read.includes('\n')) {
    const {value, done} = await chunks.next()
    if (done === true) throw new Error('the command ended before it had asked')
    read = Buffer.concat([read, value])
  }
  const end = read.indexOf('\n')
  async function* stdin(): AsyncGenerator<Uint8Array> {
    yield read.subarray(end + 1)
    yield* {[Symbol.asyncIterator]: () => chunks}
  }
  return {...(JSON.parse(read.toString('utf8', 0, end)) as Asked), stdin: stdin()}
}
