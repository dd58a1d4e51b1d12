import {MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {NativeLZMA} from 'node-liblzma'
import {throwIfAborted} from '../../bytes/abortable.js'
import {FILE_CHUNK_BYTES, giveBack, takeBuffer} from '../../bytes/chunk-buffers.js'
import type {DecodeOptions, SequentialDecoder} from '../sequential-decoder.js'
import {importNodeLiblzma} from './import-node-liblzma.js'

/** Half of its buffer: a reader of a header waits for one chunk, and blocks of 1 MiB are usual. */
const OUTPUT_BYTES = FILE_CHUNK_BYTES / 2

/** liblzma's own return codes (lzma/base.h). */
const RET = {ok: 0, streamEnd: 1, memory: 5, options: 8, buffer: 10} as const
const ACTION = {run: 0, finish: 3} as const

/**
 * Loads node-liblzma's decoder; undefined if its binary does not load. Its stream class ignores back pressure and takes a
 * truncated file for a complete one. So the handle below it is driven directly: one call fills one buffer, and only
 * LZMA_STREAM_END counts as the end.
 */
export async function loadNodeLiblzma(): Promise<SequentialDecoder | undefined> {
  // Not an error, because there is another decoder.
  const library = await importNodeLiblzma()
  if (library === undefined) return undefined
  const {Unxz} = library
  const openHandle = (): NativeLZMA | undefined => {
    const handle: unknown = Reflect.get(new Unxz({chunkSize: 1}), 'lzma')
    return isHandle(handle) ? handle : undefined
  }
  const probe = openHandle()
  probe?.close()
  if (probe === undefined) return undefined
  return (compressed, options) => decode(compressed, {...options, openHandle})
}

interface DecodeWithHandle extends DecodeOptions {
  readonly openHandle: () => NativeLZMA | undefined
}

async function* decode(compressed: Bytes, options: DecodeWithHandle): Bytes {
  const {name, signal, openHandle, reuseOutput = () => false} = options
  const handle = openHandle()
  if (handle === undefined) throw new Error('node-liblzma has no decoder handle')
  let output = takeBuffer(FILE_CHUNK_BYTES)
  let isAtEnd = false
  let filled = 0
  let consumed = 0

  /** Runs lzma_code once in libuv's pool. The handle must not be called or closed before it returns. */
  const code = async (action: number, input: Buffer): Promise<{ret: number; rest: Buffer}> => {
    throwIfAborted(signal)
    const room = output.subarray(0, OUTPUT_BYTES)
    const [ret, availableIn, availableOut] = await new Promise<[number, number, number]>((resolve) => {
      handle.code(action, input, 0, input.length, room, filled, (...result) => {
        resolve(result)
        return false
      })
    })
    if (ret > RET.streamEnd && ret !== RET.buffer) throw decodeError(name, {ret, consumed})
    filled = OUTPUT_BYTES - availableOut
    consumed += input.length - availableIn
    return {ret, rest: input.subarray(input.length - availableIn)}
  }

  const takeOutput = (): Buffer => {
    const chunk = output.subarray(0, filled)
    if (!reuseOutput()) {
      giveBack(output, {isIdle: false})
      output = takeBuffer(FILE_CHUNK_BYTES)
    }
    filled = 0
    return chunk
  }

  try {
    for await (const chunk of compressed) {
      let input = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      while (input.length > 0) {
        input = (await code(ACTION.run, input)).rest
        if (filled === OUTPUT_BYTES) yield takeOutput()
      }
    }
    for (let ended = false; !ended;) {
      const {ret} = await code(ACTION.finish, Buffer.alloc(0))
      if (ret === RET.buffer && filled < OUTPUT_BYTES) throw cutOff(name, consumed)
      ended = ret === RET.streamEnd
      if (filled === OUTPUT_BYTES || (ended && filled > 0)) yield takeOutput()
    }
    isAtEnd = true
  } finally {
    handle.close()
    giveBack(output, {isIdle: isAtEnd})
  }
}

function isHandle(value: unknown): value is NativeLZMA {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'function'
}

function cutOff(name: string, consumed: number): MirrorError {
  return new MirrorError(
    'SOURCE_TRUNCATED',
    `the xz data of ${name} ends too early, after ${consumed} bytes`,
    {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
    },
  )
}

function decodeError(name: string, at: {readonly ret: number; readonly consumed: number}): MirrorError {
  if (at.ret === RET.options) {
    return new MirrorError('SOURCE_UNSUPPORTED', `${name} uses an xz filter that this build does not know`, {
      side: 'source',
    })
  }
  if (at.ret === RET.memory) {
    return new MirrorError('LIMIT_EXCEEDED', `there is not enough memory for the xz dictionary of ${name}`, {
      side: 'source',
    })
  }
  return new MirrorError('SOURCE_CORRUPT', `the xz data of ${name} is damaged near byte ${at.consumed}`, {
    side: 'source',
    advice: {kind: 'copy-again'},
  })
}
