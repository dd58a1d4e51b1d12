import {once} from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type {AddressInfo} from 'node:net'
import type {KeyPair} from '@airgap-mirror/test/kit'

/** Plays all registries of the internet: has nothing, and writes down who was asked for what. */
export interface PublicRegistries {
  /** `HOST PATH` of each request, or `HOST connection` for one that never became a request. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

export async function startPublicRegistries(pair: KeyPair): Promise<PublicRegistries> {
  const asked: string[] = []
  const answer: http.RequestListener = ({headers, url}, response) => {
    asked.push(`${headers.host} ${url}`)
    response
      .writeHead(url === '/v2/' ? 200 : 404, {'content-type': 'application/json'})
      .end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
  }
  const secure = https.createServer({...pair}, answer)
  secure.on('tlsClientError', (_error, socket) => asked.push(`${socket.servername || 'unnamed'} connection`))
  const plain = http.createServer(answer)
  await Promise.all([listen(secure, 443), listen(plain, 80)])
  return {
    asked,
    close: async () => {
      for (const server of [secure, plain]) {
        server.closeAllConnections()
        server.close()
        await once(server, 'close')
      }
    },
  }
}

async function listen(server: http.Server, port: number): Promise<AddressInfo> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server.address() as AddressInfo
}
