import {connect} from 'node:net'
import {connect as connectTls, type SecureContext} from 'node:tls'

/** A handshake of this many bytes had the server's own messages in it; an alert alone has seven. */
const MORE_THAN_ALERT = 64
/** Milliseconds: it only makes a message better. */
const WAIT = 3000

/**
 * Returns true if a server refuses handshakes only after its own certificate, because it wants the client's.
 * A server without a common cipher refuses at once, with the same alert. Connects once more; false if that is inconclusive.
 */
export function refusesLate(
  {host, port}: {readonly host: string; readonly port: number},
  {secureContext, servername}: {readonly secureContext: SecureContext; readonly servername: string},
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({host, port})
    const secure = connectTls({socket, secureContext, servername, rejectUnauthorized: false})
    const end = (): void => {
      clearTimeout(timer)
      resolve(socket.bytesRead > MORE_THAN_ALERT)
      secure.destroy()
      socket.destroy()
    }
    const timer = setTimeout(end, WAIT)
    socket.once('error', end)
    secure.once('error', end).once('secureConnect', end).once('close', end)
  })
}
