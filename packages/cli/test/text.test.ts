import {readFile} from 'node:fs/promises'
import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {formatError} from '#src/text/format-error.js'
import {formatBytes, formatDuration, formatRate} from '#src/text/format-quantity.js'
import {parseDuration, parseRate, parseSize} from '#src/text/parse-quantity.js'
import {jsonText, printable, shortened} from '#src/text/printable.js'
import {redacted} from '#src/text/redacted.js'

const usageError = expect.objectContaining({code: 'USAGE'}) as Error

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['1048576', 1_048_576],
    ['100B', 100],
    ['64MiB', 64 * 2 ** 20],
    ['64M', 64 * 2 ** 20],
    ['64m', 64 * 2 ** 20],
    ['64Mi', 64 * 2 ** 20],
    ['64 MiB', 64 * 2 ** 20],
    ['4GB', 4e9],
    ['4gb', 4e9],
    ['1.5G', 1.5 * 2 ** 30],
    ['1.25kB', 1250],
    ['2T', 2 ** 41],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    '1e6',
    '0x10',
    '1.5',
    '1.5B',
    '5iB',
    'M',
    '64 M B',
    '64MBs',
    '9007199254740993',
    '9999P',
  ])('%j is refused', (text) => {
    expect(() => parseSize(text)).toThrow(usageError)
  })

  test.each([
    ['500k', 512_000],
    ['20MB', 20e6],
    ['20MB/s', 20e6],
  ])('the rate %s is %d bytes per second', (text, rate) => {
    expect(parseRate(text)).toBe(rate)
  })

  test.each(['0', '', '/s', '20MB/h', 'fast'])('the rate %j is refused', (text) => {
    expect(() => parseRate(text)).toThrow(usageError)
  })

  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9994, '9.99 kB'],
    [9996, '10.0 kB'],
    [99_960, '100 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [812_000_000, '812 MB'],
    [1.24e9, '1.24 GB'],
    [2e18, '2000 PB'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  test('a rate is a size per second', () => {
    expect(formatRate(9_810_000)).toBe('9.81 MB/s')
  })
})

describe('durations', () => {
  test.each([
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['0', 0],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  test.each(['', '5', '-5s', '5 m', 'm', '5m1h', '1.5h', '25d', '999999999d'])('%j is refused', (text) => {
    expect(() => parseDuration(text)).toThrow(usageError)
  })

  test.each([
    [0, '0.0 s'],
    [400, '0.4 s'],
    [9940, '9.9 s'],
    [9960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1m00s'],
    [65_000, '1m05s'],
    [7_500_000, '2h05m'],
    [273_600_000, '3d04h'],
    [-5, '0.0 s'],
  ])('%d ms are shown as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })
})

describe('text from outside', () => {
  test.each<[string, string]>([
    ['a\u001B[2Jb', String.raw`a\x1b[2Jb`],
    ['a\nb\r\tc', String.raw`a\nb\r\tc`],
    ['\u009B31m\u007F', String.raw`\x9b31m\x7f`],
    ['gpj\u202Eexe', String.raw`gpj\u202eexe`],
    ['zero\u200Bwidth', String.raw`zero\u200bwidth`],
    ['half \uD83D', String.raw`half \ud83d`],
    ['tag \u{E0041}', String.raw`tag \u{e0041}`],
    ...['\u180E', '\u3164', '\u115F', '\u034F', '\u2800', '\uFE0F', '\uFFA0'].map(
      (character): [string, string] => [
        `fill${character}er`,
        `fill\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}er`,
      ],
    ),
    ['whole 😀, ümläut', 'whole 😀, ümläut'],
  ])('%j cannot move the cursor or hide', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })

  test('JSON with such text is printable and reads back equal', () => {
    const value = {text: 'a\u001B[2J\u009B\u202E😀\n\u{E0041}', list: [1]}
    expect(printable(jsonText(value))).toBe(jsonText(value))
    expect(JSON.parse(jsonText(value, 2))).toEqual(value)
  })

  test.each([
    ['short', 10, 'short'],
    ['0123456789', 10, '0123456789'],
    ['0123456789a', 10, '01234…789a'],
    ['abc', 1, '…'],
  ])('%j is cut in the middle to fit %d columns', (text, length, shown) => {
    expect(shortened(text, length)).toBe(shown)
  })

  test.each([
    ['GET https://a/b?X-Sig=abc failed', 'GET https://a/b?… failed'],
    ['https://user:pa@ss@host:5000/v2/', 'https://…@host:5000/v2/'],
    ['see http://host/a and http://host/b?c', 'see http://host/a and http://host/b?…'],
    ['https://host?token=1', 'https://host?…'],
    ['mail a@b?c', 'mail a@b?c'],
  ])('%s keeps its secrets', (text, shown) => {
    expect(redacted(text)).toBe(shown)
  })
})

describe('errors', () => {
  test('a side, a message, what the cause adds, and a hint', () => {
    const cause = new Error('socket closed', {cause: new Error('connect ECONNREFUSED 127.0.0.1:5000')})
    const error = new MirrorError('UNREACHABLE', 'host:5000 cannot be reached', {
      side: 'target',
      hint: 'is it running?',
      cause,
    })
    expect(formatError(error)).toBe(
      'error: target: host:5000 cannot be reached: socket closed: connect ECONNREFUSED 127.0.0.1:5000\nhint: is it running?\n',
    )
  })

  test('what usually helps, where the error itself does not say', () => {
    expect(formatError(new MirrorError('SOURCE_UNREADABLE', 'cannot read x', {side: 'source'}))).toBe(
      'error: source: cannot read x\nhint: Check the path, and the right to read it.\n',
    )
  })

  test("OpenSSL's reasons are told without lines of its source", () => {
    const cause = new Error(
      '804CC90F707F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n',
    )
    expect(formatError(new MirrorError('TLS_FAILED', 'no TLS', {cause}))).toBe(
      'error: no TLS: wrong version number\n',
    )
    expect(formatError(new MirrorError('TLS_NOT_SPOKEN', 'h does not speak TLS', {cause}))).toMatch(
      /^error: h does not speak TLS\n/,
    )
  })

  test.each([
    ['/nowhere/x', 'there is no such file or directory'],
    ['/', 'it is a directory'],
    [`/${'x'.repeat(300)}`, 'the name is too long'],
    ['/dev/null/x', 'a part of the path is not a directory'],
  ])('an error of the file system at %.20s is told in words', async (path, words) => {
    const cause: unknown = await readFile(path).catch((error: unknown) => error)
    expect(formatError(new MirrorError('WRITE_FAILED', `cannot read it: ${messageOf(cause)}`, {cause}))).toBe(
      `error: cannot read it: ${words}\n`,
    )
  })

  test('a cause that the message already tells is not told again', () => {
    const cause = new Error('no such file')
    expect(formatError(new MirrorError('WRITE_FAILED', 'cannot write x: no such file', {cause}))).toBe(
      'error: cannot write x: no such file\n',
    )
  })

  test('an abort as a cause is not told', () => {
    const controller = new AbortController()
    controller.abort()
    const error = new MirrorError('CANCELLED', 'cancelled', {cause: controller.signal.reason})
    expect(formatError(error)).toBe('error: cancelled\n')
  })

  test('one line, whatever a registry answered', () => {
    const text = formatError(new MirrorError('WRITE_FAILED', `<html>\n\u001B[2J${'x'.repeat(100_000)}`))
    expect(text.split('\n')).toHaveLength(2)
    expect(text.length).toBeLessThan(2100)
    expect(text).not.toContain('\u001B')
  })

  test('a cycle of causes ends', () => {
    const first = new Error('first')
    first.cause = new Error('second', {cause: first})
    expect(formatError(new MirrorError('WRITE_FAILED', 'top', {cause: first}))).toBe(
      'error: top: first: second\n',
    )
  })

  test('of an AggregateError, as node throws for a host with several addresses, the first is told', () => {
    const cause = new AggregateError([new Error('connect ECONNREFUSED ::1:5000'), new Error('other')])
    expect(formatError(new MirrorError('WRITE_FAILED', 'no way', {cause}))).toBe(
      'error: no way: connect ECONNREFUSED ::1:5000\n',
    )
  })

  test.each([new TypeError('x is not a function'), 'a string', undefined])(
    'a bug shows where: %s',
    (thrown) => {
      const text = formatError(thrown)
      expect(text).toMatch(/^error: a bug in mirror/)
      expect(text).toContain(thrown instanceof Error ? 'text.test.ts' : String(thrown))
    },
  )
})
