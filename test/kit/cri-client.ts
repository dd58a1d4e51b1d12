import {once} from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'

/** A container runtime's answer to a call of the CRI. */
export interface CriAnswer {
  /** The status of gRPC: 0 is success. */
  readonly status: number
  readonly message: string
}

/** Lets a runtime pull an image by the CRI's ImageService, as the kubelet does for a pod without a secret. */
export async function criPull(socket: string, image: string): Promise<CriAnswer> {
  const session = http2.connect('http://localhost', {createConnection: () => net.connect(socket)})
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.ImageService/PullImage',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    const trailers: http2.IncomingHttpHeaders = {}
    for (const event of ['response', 'trailers'] as const) {
      stream.on(event, (headers: http2.IncomingHttpHeaders) => Object.assign(trailers, headers))
    }
    stream.end(grpcMessage(field(1, field(1, Buffer.from(image)))))
    stream.resume()
    await once(stream, 'close')
    const message = trailers['grpc-message']
    return {
      status: Number(trailers['grpc-status'] ?? 2),
      message: decodeURIComponent(typeof message === 'string' ? message : ''),
    }
  } finally {
    session.close()
  }
}

/** A field of a protobuf message with bytes in it. */
function field(number: number, content: Uint8Array): Uint8Array {
  if (content.length > 127) throw new Error('a length of two bytes is not written here')
  return Buffer.from([(number << 3) | 2, content.length, ...content])
}

function grpcMessage(content: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}
