import {expect, test} from 'vitest'
import {originOf, resolveLocation} from '#src/http/location.js'
import {redactText, redactUrl} from '#src/http/redact.js'
import {excerpt, printable} from '#src/http/excerpt.js'
import {to} from './http-loopback.js'

const HERE = to('https://reg.example:8443', '/v2/a/blobs/uploads/1?_state=x')

test.each([
  // relative
  [
    '/v2/a/blobs/uploads/2?_state=a%2Fb==&y',
    'https://reg.example:8443',
    '/v2/a/blobs/uploads/2?_state=a%2Fb==&y',
  ],
  ['/v2/../x//y', 'https://reg.example:8443', '/v2/../x//y'],
  ['?_state=next', 'https://reg.example:8443', '/v2/a/blobs/uploads/1?_state=next'],
  ['2?_state=../..', 'https://reg.example:8443', '/v2/a/blobs/uploads/2?_state=../..'],
  ['./2', 'https://reg.example:8443', '/v2/a/blobs/uploads/2'],
  ['../other/', 'https://reg.example:8443', '/v2/a/blobs/other/'],
  ['../../../../../../x', 'https://reg.example:8443', '/x'],
  ['..', 'https://reg.example:8443', '/v2/a/blobs/'],
  // absolute
  ['https://cdn.example/x?sig=%2f+a', 'https://cdn.example', '/x?sig=%2f+a'],
  ['HTTPS://CDN.example:443/x', 'https://cdn.example', '/x'],
  ['https://cdn.example', 'https://cdn.example', '/'],
  ['https://cdn.example?x=1', 'https://cdn.example', '/?x=1'],
  ['//cdn.example/x', 'https://cdn.example', '/x'],
  ['https://10.1.2.3:9000/bucket', 'https://10.1.2.3:9000', '/bucket'],
  ['https://[fd00::1]:9000/bucket#part', 'https://[fd00::1]:9000', '/bucket'],
  // raised to https
  ['http://reg.example:8443/v2/x', 'https://reg.example:8443', '/v2/x'],
  ['http://reg.example/v2/x', 'https://reg.example:8443', '/v2/x'],
  ['http://REG.example:9000/v2/x', 'https://reg.example:9000', '/v2/x'],
])('%s means %s%s', (location, origin, path) => {
  expect(resolveLocation(HERE, location)).toEqual({origin, path})
})

test('plain http stays plain where it began so, and may rise', () => {
  const base = to('http://reg.example:5000', '/v2/')
  expect(resolveLocation(base, 'http://other.example/x')).toEqual(to('http://other.example', '/x'))
  expect(resolveLocation(base, 'https://reg.example/x')).toEqual(to('https://reg.example', '/x'))
})

test.each([
  'http://cdn.example/x',
  '//user@cdn.example/x',
  'https://user:hunter2@reg.example/x',
  'https://reg.example\\@cdn.example/x',
  'ftp://reg.example/x',
  'file:///etc/passwd',
  'javascript:alert(1)',
  '//',
  'https://',
  'https:///x',
  'https://reg.example:99999/x',
  '/v2/\r\nx-injected: 1',
  '/v2/ x',
  '/v2/\u0000',
  '/v2/é',
  'https://a b/',
])('%j is refused', (location) => {
  const resolve = (): unknown => resolveLocation(HERE, location)
  expect(resolve).toThrow(expect.objectContaining({code: 'PROTOCOL'}) as Error)
  expect(resolve).not.toThrow(/hunter2/)
})

test('an origin has one form', () => {
  expect(originOf('REG.example:443')).toBe('https://reg.example')
  expect(originOf('reg.example:443', {plainHttp: true})).toBe('http://reg.example:443')
  expect(originOf('[::1]:5000', {plainHttp: true})).toBe('http://[::1]:5000')
})

test.each(['10.0.0.256:5000', 'registry.1', 'reg.example:99999', 'xn--a.example'])(
  'the host %s, which no URL can have, is invalid input',
  (registry) => {
    expect(() => originOf(registry)).toThrow(
      expect.objectContaining({code: 'NAME_INVALID', message: expect.stringContaining(registry)}),
    )
  },
)

test.each([
  ['https://r/v2/a/blobs/uploads/?digest=sha256:0&mount=x&from=b%2Fc', undefined],
  ['https://r/v2/a/tags/list?n=10&last=v1', undefined],
  ['https://r/u?_state=secret&digest=d', 'https://r/u?_state=***&digest=d'],
  ['https://s3/x?X-Amz-Signature=ab=cd&X-Amz-Date=1', 'https://s3/x?X-Amz-Signature=***&X-Amz-Date=***'],
  ['https://user:pw@r/x', 'https://r/x'],
  ['https://us@er:p@w@r/x?y=a@b', 'https://r/x?y=***'],
  ['https://r/a@sha256:0', undefined],
  ['https://r/x?token', 'https://r/x?***'],
  ['https://r/x?n=1#token=2', 'https://r/x?n=1'],
  ['/v2/?Digest=1', '/v2/?Digest=***'],
])('redactUrl(%s)', (url, expected) => {
  expect(redactUrl(url)).toBe(expected ?? url)
})

test('redactText masks what a server may echo', () => {
  const text =
    'got Basic dXNlcjpodW50ZXIy and bearer abc.def-ghi from https://u:p@s3/x?sig=aaa&n=1 <x>?y=bbb</x>'
  expect(redactText(text)).toBe('got Basic *** and bearer *** from https://s3/x?sig=***&n=1 <x>?y=***</x>')
})

test('printable escapes what a terminal acts on, and leaves text alone', () => {
  expect(printable('a\u001b[31mb\r\n\u0007\u009b\u202e\u2028\ud800')).toBe(
    'a\\x1b[31mb\\x0d\\x0a\\x07\\x9b\\u202e\\u2028\\ud800',
  )
  expect(printable('größe 大 🙂')).toBe('größe 大 🙂')
  expect(excerpt('  one\n\ttwo  \u0007', 100)).toBe('one two \\x07')
  expect(excerpt('x'.repeat(1000), 10)).toBe(`${'x'.repeat(10)}…`)
})
