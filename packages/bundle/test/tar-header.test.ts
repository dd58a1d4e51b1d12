import {describe, expect, test} from 'vitest'
import {decodePax} from '#src/tar/extension.js'
import {decodeHeader} from '#src/tar/header.js'
import {looksLikeTar} from '#src/tar/looks-like-tar.js'
import {header} from './fixtures/tar-blocks.js'

describe('decodeHeader', () => {
  test('joins the ustar prefix, and takes GNU archives to have none', () => {
    const ustar = header({path: 'b', prefix: 'a'})
    expect(decodeHeader(ustar)?.path).toBe('a/b')
    expect(decodeHeader(header({path: 'b', prefix: 'a', magic: 'ustar  \0'}))?.path).toBe('b')
    expect(decodeHeader(header({path: 'b', prefix: 'a', magic: ''}))?.path).toBe('b')
  })

  test.each([
    ['00000000017\0', 15],
    ['         17 ', 15],
    ['17\0\0\0\0\0\0\0\0\0\0', 15],
    ['\0\0\0\0\0\0\0\0\0\0\0\0', 0],
    ['777777777777', 0o777777777777],
    ['\x80\0\0\0\0\0\0\x02\0\0\0\x01', 2 ** 33 + 1],
    ['0x17\0\0\0\0\0\0\0\0', undefined],
    ['-0000000017\0', undefined],
    ['00000000018\0', undefined],
    ['\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', undefined],
    ['\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', undefined],
    ['0000001 0001', undefined],
  ])('reads the size %j as %s', (field, size) => {
    expect(decodeHeader(header({path: 'f', sizeField: field}))?.size).toBe(size)
  })

  test('takes the sum of signed bytes too, as old tars wrote it, and no other', () => {
    const signed = header({path: 'ä', signedChecksum: true})
    expect(decodeHeader(signed)?.path).toBe('ä')
    const wrong = header({path: 'f'})
    wrong[0] = 0x67
    expect(decodeHeader(wrong)).toBeUndefined()
  })

  test('knows a tar by its header and nothing else by it', () => {
    expect(looksLikeTar(header({path: 'f'}))).toBe(true)
    expect(looksLikeTar(header({path: 'f'}).subarray(0, 511))).toBe(false)
    expect(looksLikeTar(new Uint8Array(512))).toBe(false)
    expect(looksLikeTar(Buffer.alloc(512, 0x20))).toBe(false)
  })
})

describe('decodePax', () => {
  test('takes path, linkpath and size, the last of each', () => {
    const records = '9 path=a\n9 path=b\n15 linkpath=cd\n17 size=12345678\n'
    expect(decodePax(Buffer.from(records))).toEqual({path: 'b', linkPath: 'cd', size: 12345678})
  })

  test('counts a record in bytes, and lets a value hold a line break', () => {
    expect(decodePax(Buffer.from('13 path=ä\nb\n'))).toEqual({path: 'ä\nb'})
  })

  test.each([
    ['a length that is too short', '2 path=a\n'],
    ['a length past the end', '99 path=a\n'],
    ['a length of zero', '0 path=a\n'],
    ['no line break at the end', '9 path=abc'],
    ['no equals sign', '8 patha\n'],
    ['no length', 'path=a\n'],
    ['a negative size', '11 size=-1\n'],
    ['a size over 2^53', '25 size=9999999999999999\n'],
    ['a NUL in the path', '10 path=\0b\n'],
  ])('refuses %s', (_what, records) => {
    expect(decodePax(Buffer.from(records))).toBeUndefined()
  })
})
