import {once} from 'node:events'
import net, {type AddressInfo} from 'node:net'
import {describe, expect, test} from 'vitest'
import {checkConnection, checkNetwork} from '#src/commands/doctor/network-checks.js'

/** A server that takes connections and never says a word. */
async function startSilent(): Promise<{readonly port: number} & AsyncDisposable> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the network checks of mirror doctor', () => {
  test('name the addresses of a registry that take no connection', async () => {
    await using server = await startSilent()
    const registry = {host: 'registry.example', port: server.port}
    const {signal} = new AbortController()
    const some = await checkConnection(registry, ['127.0.0.1', '127.0.0.2'], {signal})
    expect(some).toMatchObject({status: 'note'})
    expect(some.text).toMatch(/takes connections, at 127\.0\.0\.1; not at 127\.0\.0\.2: .*ECONNREFUSED/)
    const none = await checkConnection(registry, ['127.0.0.2', '127.0.0.3'], {signal})
    expect(none).toMatchObject({status: 'problem'})
    expect(none.text).toMatch(/127\.0\.0\.2: .*; 127\.0\.0\.3: /)
  })

  test('are cancelled while a server is silent', async () => {
    await using server = await startSilent()
    const controller = new AbortController()
    const checks = checkNetwork(`https://127.0.0.1:${server.port}`, {signal: controller.signal})
    setTimeout(() => controller.abort(), 100)
    await expect(checks).rejects.toMatchObject({code: 'CANCELLED'})
  })
})
