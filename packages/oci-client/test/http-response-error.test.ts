import {afterAll, beforeAll, expect, test} from 'vitest'
import {readFailure} from '#src/http/failure.js'
import {responseError} from '#src/http/response-error.js'
import {createTransport, type Transport} from '#src/http/undici.js'
import type {HttpResponse} from '#src/http/send.js'
import {limits, type MirrorError} from '#src/model/index.js'
import {startScripted, type ScriptedServer} from '../../../test/kit/scripted-server.js'
import {get} from './http-loopback.js'

interface Answer {
  readonly status: number
  readonly body?: string | object
  readonly headers?: Readonly<Record<string, string>>
}

let server: ScriptedServer
let transport: Transport
let next: Answer = {status: 200}
beforeAll(async () => {
  server = await startScripted(() => {
    const {body = ''} = next
    return {...next, body: typeof body === 'string' ? body : JSON.stringify(body)}
  })
  transport = createTransport({registry: `127.0.0.1:${server.port}`, side: 'target', plainHttp: true})
})
afterAll(async () => {
  await transport.close()
  await server.close()
})

async function respond(answer: Answer, method: 'GET' | 'HEAD' = 'GET'): Promise<HttpResponse> {
  next = answer
  return transport.send(get(`http://127.0.0.1:${server.port}`, {method}))
}

async function errorOf(answer: Answer, extra: Partial<HttpResponse> = {}): Promise<MirrorError> {
  return responseError(
    {...(await respond(answer)), ...extra},
    {side: 'target', what: 'cannot push the manifest of r/a:1'},
  )
}

function envelope(code: string, message = '', detail?: unknown): object {
  return {
    errors: [{code, message, detail}],
  }
}

test.each<[string, Answer, string, string?]>([
  [
    'wrong credentials',
    {status: 401, body: envelope('UNAUTHORIZED', 'authentication required')},
    'AUTH_FAILED',
    'check-credential',
  ],
  [
    'no right',
    {status: 403, body: envelope('DENIED', 'requested access is denied')},
    'DENIED',
    'check-rights',
  ],
  [
    'a scope that was not granted',
    {status: 401, headers: {'www-authenticate': 'Bearer realm="r",error="insufficient_scope"'}},
    'DENIED',
    'check-rights',
  ],
  [
    'a missing Harbor project',
    {status: 401, body: envelope('UNAUTHORIZED', 'project nope not found')},
    'REPOSITORY_UNKNOWN',
    'create-repository',
  ],
  [
    'a full Harbor project',
    {
      status: 403,
      body: envelope(
        'DENIED',
        'adding 5 MiB of storage resource, which when updated to current usage of 9 GiB will exceed the configured upper limit',
      ),
    },
    'DENIED',
    'raise-quota',
  ],
  [
    'an unknown repository',
    {status: 404, body: envelope('NAME_UNKNOWN')},
    'REPOSITORY_UNKNOWN',
    'create-repository',
  ],
  ['an unknown blob', {status: 404, body: envelope('BLOB_UNKNOWN')}, 'BLOB_UNKNOWN'],
  [
    'a manifest whose blob is missing',
    {status: 404, body: envelope('MANIFEST_BLOB_UNKNOWN')},
    'BLOB_UNKNOWN',
  ],
  [
    'a missing blob named after something else',
    {status: 400, body: {errors: [{code: 'UNKNOWN'}, {code: 'MANIFEST_BLOB_UNKNOWN'}]}},
    'BLOB_UNKNOWN',
  ],
  ['a refused manifest', {status: 400, body: envelope('MANIFEST_INVALID')}, 'MANIFEST_REJECTED'],
  ['a refused kind of manifest', {status: 415}, 'MANIFEST_REJECTED', 'convert-manifest'],
  ['a deep name', {status: 400, body: envelope('NAME_INVALID')}, 'NAME_INVALID', 'shorten-repository'],
  [
    'an immutable tag of ECR',
    {status: 400, body: envelope('ImageTagAlreadyExistsException')},
    'DENIED',
    'use-another-tag',
  ],
  [
    'an immutable tag of Harbor',
    {status: 412, body: envelope('PRECONDITION', 'configured as immutable')},
    'DENIED',
    'check-tag-policy',
  ],
  ['a read-only registry', {status: 405, body: envelope('UNSUPPORTED')}, 'DENIED', 'allow-writes'],
  [
    'a proxy’s body limit',
    {status: 413, body: '<html><h1>413 Too Large</h1></html>'},
    'TOO_LARGE',
    'raise-body-limit',
  ],
  ['too many requests', {status: 429, body: envelope('TOOMANYREQUESTS')}, 'RATE_LIMITED', 'slow-down'],
  [
    'a failing registry',
    {status: 500, body: envelope('BLOB_UNKNOWN')},
    'REGISTRY_FAILED',
    'read-registry-log',
  ],
  ['a full disk', {status: 507}, 'REGISTRY_FULL', 'free-registry-disk'],
  [
    'a full disk, as distribution says it',
    {
      status: 500,
      body: '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":"write /var/lib/x/data: no space left on device"}]}',
    },
    'REGISTRY_FULL',
    'free-registry-disk',
  ],
  [
    'a full disk, as distribution says it by number',
    {
      status: 500,
      body: '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/x","Err":28}}}]}',
    },
    'REGISTRY_FULL',
    'free-registry-disk',
  ],
  [
    'another error by number',
    {status: 500, body: '{"errors":[{"code":"UNKNOWN","detail":{"Enclosed":{"Op":"write","Err":280}}}]}'},
    'REGISTRY_FAILED',
    'read-registry-log',
  ],
  ['no registry at all', {status: 404, body: 'not found'}, 'NOT_FOUND', 'check-registry-address'],
  ['a missing manifest', {status: 404, body: envelope('MANIFEST_UNKNOWN')}, 'NOT_FOUND'],
  ['anything else', {status: 418, body: 'teapot'}, 'PROTOCOL'],
])('%s', async (_name, answer, code, kind) => {
  const error = await errorOf(answer)
  expect(error.code).toBe(code)
  expect(error.advice?.kind).toBe(kind)
  expect(error.side).toBe('target')
  expect(error.message).toMatch(
    new RegExp(`^cannot push the manifest of r/a:1: the registry answered ${answer.status}`),
  )
})

test('a 401 to a request without a credential asks for one', async () => {
  const error = await errorOf({status: 401}, {authorized: false})
  expect(error.code).toBe('AUTH_REQUIRED')
  expect(error.advice).toEqual({kind: 'log-in'})
})

test('says what the registry says, of several errors as well', async () => {
  const body = {
    errors: [
      {code: 'A', message: 'first', detail: {x: 1}},
      {code: 'B', message: 'second', detail: {}},
      {code: 'C'},
      {code: 'D'},
    ],
  }
  expect((await errorOf({status: 400, body})).message).toBe(
    'cannot push the manifest of r/a:1: the registry answered 400 Bad Request: A: first ({"x":1}); B: second; C; and 1 more',
  )
})

test('a HEAD has no body: the status speaks', async () => {
  const error = await responseError(await respond({status: 403}, 'HEAD'), {
    side: 'target',
    what: 'cannot look',
  })
  expect(error.message).toBe('cannot look: the registry answered 403 Forbidden')
})

test('names the host of a redirect that cannot be followed, and advises HTTPS if it leads there', async () => {
  const away = await errorOf({status: 307, headers: {location: 'http://other.example/v2/'}, body: 'moved'})
  expect(away.message).toBe(
    'cannot push the manifest of r/a:1: the registry answered 307: a redirect to http://other.example',
  )
  const secure = await errorOf({status: 301, headers: {location: 'https://other.example:5000/v2/?secret=1'}})
  expect(secure).toMatchObject({code: 'PROTOCOL', advice: {kind: 'use-https'}})
  expect(secure.message).toMatch(/answered 301: a redirect to https:\/\/other\.example:5000$/)
  const odd = await errorOf({status: 302, headers: {location: 'http://[::'}, body: 'moved'})
  expect(odd.message).toMatch(/answered 302: moved$/)
})

test('an HTML page is shown without its tags, styles and scripts', async () => {
  const page =
    '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title><style>h1 > b {color: red}</style>' +
    '<script>if (a < b) alert("x")</script></head><body><h1>nginx</h1> is <b>sad</b></body></html>'
  expect((await errorOf({status: 502, body: page})).message).toMatch(/: 502 Bad Gateway nginx is sad$/)
})

test('what a registry echoes is escaped, masked and cut', async () => {
  const text = `\u001b[2Jgot Bearer abcdef123456 at https://u:hunter2@s3/x?X-Amz-Signature=cafe ${'y'.repeat(1000)}`
  for (const body of [text, envelope('CODE', text), envelope(text), envelope('CODE', '', {text})]) {
    const {message} = await errorOf({status: 400, body})
    expect(message).not.toMatch(/hunter2|abcdef123456|cafe/)
    expect(message.length).toBeLessThan(600)
    expect(message).not.toContain('\u001b')
  }
})

test.each([
  ['[]'],
  ['null'],
  ['{"errors":{"code":"X"}}'],
  ['{"errors":[null,1,"x",{"code":1,"message":[]}]}'],
  ['{"errors":[{"__proto__":{"code":"X"}}]}'],
  ['{'.repeat(50_000)],
  ['['.repeat(50_000)],
  ['<'.repeat(60_000)],
  ['<script>'.repeat(8000)],
])('a body that means nothing leaves the status: %#', async (body) => {
  const error = await errorOf({status: 404, body})
  expect(error.code).toBe('NOT_FOUND')
})

test('codes with the names of what objects inherit are codes like others', async () => {
  for (const code of ['constructor', '__proto__', 'toString']) {
    expect((await errorOf({status: 404, body: envelope(code)})).code).toBe('NOT_FOUND')
  }
})

test('reads no more of a body than the limit', async () => {
  const failure = await readFailure(
    await respond({status: 500, body: 'x'.repeat(limits.errorBodyBytes * 20)}),
  )
  expect(failure.text.length).toBeLessThan(300)
  const after = await respond({status: 200, body: 'fine'})
  expect(Buffer.from(await after.read(10)).toString()).toBe('fine')
})

test('a secret that a registry quotes is masked in every usual encoding', async () => {
  const secret = 'pa&ss wörd+1'
  const escaped = secret
    .split('')
    .map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
  const forms = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({x: secret}).toString().slice(2),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ]
  const bodies = [
    `{"errors":[{"code":"DENIED","message":"you sent ${escaped}","detail":{"password":"${escaped}"}}]}`,
    ...forms.flatMap((form) => [
      form,
      JSON.stringify(envelope('DENIED', form)),
      JSON.stringify(envelope('DENIED', '', {form})),
    ]),
  ]
  for (const body of bodies) {
    const {text, errors} = await readFailure({...(await respond({status: 403, body})), secrets: [secret]})
    for (const form of forms) expect(text + JSON.stringify(errors)).not.toContain(form.replace(/=+$/, ''))
    expect(text).toContain('***')
  }
})
