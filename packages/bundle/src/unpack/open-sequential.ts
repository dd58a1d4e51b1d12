import {basename} from 'node:path'
import {beginSpan, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {hasRoomFor, scratchOf} from './scratch-file.js'
import {Spool} from './spool.js'
import type {ByteSource} from '../bytes/byte-source.js'
import type {OpenPackedOptions} from './open-options.js'
import type {SequentialDecoder} from '../codecs/sequential-decoder.js'
import {SequentialBytes} from '../bytes/sequential-bytes.js'
import {counted, type Usage} from '../bytes/usage.js'

export interface DecodeOnceOptions extends OpenPackedOptions {
  readonly decode: SequentialDecoder
  /** Undefined if it is not known without decoding. */
  readonly plainSize: number | undefined
}

/** Keeps the plain bytes in scratch if that is allowed and has room, else decodes again for each pass. */
export async function spooledOrTwice(packed: ByteSource, options: DecodeOnceOptions): Promise<ByteSource> {
  const {plainSize, onNote} = options
  const scratch = scratchOf(options.scratch)
  const usage: Usage = {decoded: 0, scratchPeak: 0}
  if (scratch === undefined) return decodedTwice(packed, options, usage)
  const {name} = packed
  if (!(await hasRoomFor(plainSize ?? (await packed.size(options)), scratch))) {
    onNote?.(`${name} is read twice: there is no room for it in ${scratch.directory}`)
    return decodedTwice(packed, options, usage)
  }
  onNote?.(`${name} can only be decoded from its start: its plain content is kept in ${scratch.directory}`)
  return new Spool({
    name,
    scratch,
    usage,
    plain: ({signal}) => counted(decodeAll(packed, {...options, signal}), usage),
    instead: (error) => {
      onNote?.(`${name} is read twice: ${error.message}`)
      return decodedTwice(packed, options, usage)
    },
    onEnd: async () => packed[Symbol.asyncDispose](),
  })
}

/** Decodes again for each pass, without any disk. */
export function decodedTwice(
  packed: ByteSource,
  options: OpenPackedOptions & {readonly decode: SequentialDecoder; readonly plainSize?: number},
  usage: Usage = {decoded: 0, scratchPeak: 0},
): ByteSource {
  return new SequentialBytes({
    name: packed.name,
    usage,
    open: ({signal}) => counted(decodeAll(packed, {...options, signal}), usage),
    dispose: async () => packed[Symbol.asyncDispose](),
    idle: options.idle,
  })
}

async function* decodeAll(
  packed: ByteSource,
  options: {
    readonly decode: SequentialDecoder
    readonly plainSize?: number
    readonly maxPlainBytes?: number
    readonly signal?: AbortSignal
  },
): Bytes {
  const {decode, plainSize, maxPlainBytes = Infinity, signal} = options
  const compressed = packed.stream(0, await packed.size({signal}), {signal})
  let size = 0
  const end = beginSpan(() => ({kind: 'decoding', name: `pass over ${basename(packed.name)}`}))
  try {
    for await (const chunk of decode(compressed, {name: packed.name, signal})) {
      size += chunk.length
      if (size > maxPlainBytes) throw tooBig(packed.name, maxPlainBytes)
      yield chunk
    }
  } finally {
    end({bytes: size})
  }
  if (plainSize !== undefined && size !== plainSize) {
    throw new MirrorError(
      'SOURCE_CORRUPT',
      `${packed.name} holds ${size} plain bytes, its own Index says ${plainSize}`,
      {side: 'source'},
    )
  }
}

/** Returns the error of a compressed archive inside a bundle that unpacks to more than the bundle's limit. */
export function tooBig(name: string, limit: number): MirrorError {
  return new MirrorError(
    'LIMIT_EXCEEDED',
    `${name} unpacks to more than the ${limit} bytes that are left for archives inside`,
    {
      side: 'source',
      advice: {kind: 'unpack-if-trusted'},
    },
  )
}
