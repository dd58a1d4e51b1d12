import {brotliDecompress, gunzip, inflate, type InputType, type ZlibOptions} from 'node:zlib'
import {promisify} from 'node:util'
import type {HttpResponse} from './send.js'
import {excerpt} from './excerpt.js'
import {codeOf, limits, MirrorError} from '../model/index.js'

type Decode = (input: InputType, options: ZlibOptions) => Promise<Uint8Array>

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip: promisify<InputType, ZlibOptions, Uint8Array>(gunzip),
  'x-gzip': promisify<InputType, ZlibOptions, Uint8Array>(gunzip),
  deflate: promisify<InputType, ZlibOptions, Uint8Array>(inflate),
  br: promisify<InputType, ZlibOptions, Uint8Array>(brotliDecompress),
}

/**
 * Decodes the body of a small answer: some proxies compress answers although `identity` was asked for.
 * @param limit the most bytes of the decoded body
 * @throws {MirrorError} PROTOCOL for an encoding that is unknown or damaged, LIMIT_EXCEEDED
 */
export async function decoded(response: HttpResponse, bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const encoding = encodingOf(response)
  if (encoding === undefined || bytes.length === 0) return bytes
  const {host} = new URL(response.url.origin)
  const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined
  if (decode === undefined) {
    throw new MirrorError(
      'PROTOCOL',
      `${host} answers in the encoding ${excerpt(encoding, 40)}, although it was asked for none`,
      {advice: {kind: 'switch-off-compression'}},
    )
  }
  try {
    return await decode(bytes, {maxOutputLength: limit})
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new MirrorError('LIMIT_EXCEEDED', `the answer of ${host} is over the limit of ${limit} bytes`)
    }
    throw new MirrorError('PROTOCOL', `${host} answers with ${encoding} data that is damaged`, {cause})
  }
}

/** Returns the `Content-Encoding`, unless it is identity. */
export function encodingOf(response: Pick<HttpResponse, 'header'>): string | undefined {
  const encoding = response.header('content-encoding')?.trim().toLowerCase()
  return encoding === undefined || encoding === '' || encoding === 'identity' ? undefined : encoding
}

/** Decodes the beginning of a body that explains a failure. Returns it unchanged if it cannot be decoded. */
export async function decodedBeginning(response: HttpResponse, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await decoded(response, bytes, limits.errorBodyBytes)
  } catch {
    return bytes
  }
}
