import {subscribe, unsubscribe} from 'node:diagnostics_channel'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {hostGates} from '#src/http/host-gates.js'
import type {HttpRequest, HttpResponse} from '#src/http/send.js'
import {tracing} from '#src/http/tracing.js'
import {beginSpan, inSpan, isTraced, SPAN_CHANNEL, type SpanMessage} from '#src/model/index.js'
import {get} from './http-loopback.js'

let messages: SpanMessage[] = []
function listen(message: unknown): void {
  messages.push(message as SpanMessage)
}
beforeEach(() => {
  messages = []
  subscribe(SPAN_CHANNEL, listen)
})
afterEach(() => unsubscribe(SPAN_CHANNEL, listen))

function told(): readonly string[] {
  return messages.map(({moment, span, details}) =>
    [moment, span.name, JSON.stringify(details) ?? ''].join(' ').trim(),
  )
}

function getPath(path: string): HttpRequest {
  return {...get('https://store.example'), url: {origin: 'https://store.example', path}}
}

function answerOf(bytes: Uint8Array, status = 200): HttpResponse {
  return {
    status,
    header: () => undefined,
    headers: () => [],
    url: {origin: 'https://registry.example', path: '/v2/'},
    body: (async function* chunks() {
      yield bytes
    })(),
    read: () => Promise.resolve(bytes),
    discard: () => Promise.resolve(),
  }
}

test('a span that nothing listens for is not even described', async () => {
  unsubscribe(SPAN_CHANNEL, listen)
  const describe = (): never => {
    throw new Error('described')
  }
  expect(isTraced()).toBe(false)
  beginSpan(describe)()
  expect(await inSpan(describe, () => Promise.resolve(7))).toBe(7)
})

test('a span ends once, and with the code of the error that ends it', async () => {
  const end = beginSpan(() => ({kind: 'step', name: 'one'}))
  end({bytes: 1})
  end({bytes: 2})
  const error = Object.assign(new Error('with a secret'), {code: 'DENIED'})
  await expect(
    inSpan(
      () => ({kind: 'step', name: 'two'}),
      () => Promise.reject(error),
    ),
  ).rejects.toBe(error)
  expect(told()).toEqual(['begin one', 'end one {"bytes":1}', 'begin two', 'end two {"error":"DENIED"}'])
})

test('a request that waits for a slot at its host has a wait of its own', async () => {
  const answers: ((response: HttpResponse) => void)[] = []
  const gates = hostGates({most: 1, longestPause: 1000, patience: 1000})
  const send = gates.gated(() => new Promise((resolve) => answers.push(resolve)))
  const sent = [1, 2, 3].map((number) => send(getPath(`/${number}`)))
  await new Promise((resolve) => setImmediate(resolve))
  expect(told().filter((line) => line.startsWith('end'))).toEqual([
    'end slot for GET /1',
    'end slot for GET /2',
  ])
  answers[0]?.(answerOf(Buffer.of()))
  await sent[0]
  await new Promise((resolve) => setImmediate(resolve))
  expect(told().at(-1)).toBe('end slot for GET /3')
  for (const answer of answers) answer(answerOf(Buffer.of()))
  await Promise.all(sent)
})

test.each([
  ['read', (response: HttpResponse) => response.read(10), 3],
  ['thrown away', (response: HttpResponse) => response.discard(), 0],
  [
    'read in pieces',
    async (response: HttpResponse) => {
      for await (const _ of response.body);
    },
    3,
  ],
] as const)(
  'a request ends when its answer is %s, and shows no signed query',
  async (_how, take, received) => {
    const send = tracing(() => Promise.resolve(answerOf(Buffer.of(1, 2, 3))))
    const response = await send(getPath('/blob?X-Amz-Signature=secret'))
    expect(messages).toHaveLength(1)
    await take(response)
    expect(messages.map(({moment}) => moment)).toEqual(['begin', 'end'])
    expect(messages[0]?.span).toMatchObject({host: 'store.example', name: 'GET /blob?X-Amz-Signature=***'})
    expect(messages[1]?.details).toMatchObject({status: 200, received})
    expect(JSON.stringify(messages)).not.toContain('secret')
  },
)
