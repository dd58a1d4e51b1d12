import {describe, expect, test} from 'vitest'
import {createRenderer} from '#src/render/create-renderer.js'
import type {MirrorEvent} from '#src/engine/events.js'
import type {ProgressMode, Renderer} from '#src/render/renderer.js'
import {blob, ended, plan, refused, report, screen, settableClock, SUMMARY} from './render-fixtures.js'

async function shown(
  mode: ProgressMode,
  act: (renderer: Renderer, clock: ReturnType<typeof settableClock>) => void,
  options: {quiet?: boolean} = {},
): Promise<string[]> {
  const stream = screen()
  const clock = settableClock()
  const renderer = await createRenderer(mode, {stream, clock, ...options})
  act(renderer, clock)
  renderer.close()
  expect(clock.ticking).toBe(0)
  return stream.text().split('\n').slice(0, -1)
}

describe('plain lines', () => {
  test('the end of several names at one target is told once', async () => {
    const lines = await shown('plain', ({onEvent}) => {
      onEvent(ended('a:1'))
      onEvent({...ended('a:1'), source: 'quay.io/a:1'} as MirrorEvent)
      onEvent(refused('b:1'))
      onEvent({...refused('b:1'), source: 'quay.io/b:1'} as MirrorEvent)
      onEvent(ended('c:1'))
    })
    expect(lines).toEqual([
      'pushed host/a:1',
      'failed host/b:1',
      'pushed host/c:1',
      'error: target: 2 images: no push right: host/b:1',
      'hint: ask for it',
    ])
  })

  test('the work at once, then a line every 10 s, each image, the summary', async () => {
    const lines = await shown('auto', ({onEvent, finish}, clock) => {
      onEvent(plan(100e6))
      onEvent(blob('a', 'started', 0, 60e6))
      clock.set(9999)
      onEvent(blob('a', 'progress', 20e6, 60e6))
      clock.set(10_000)
      onEvent(blob('a', 'uploaded', 60e6, 60e6))
      onEvent(ended('a:1'))
      clock.set(30_000)
      onEvent(refused('b:1'))
      clock.set(35_000)
      finish(report)
      clock.set(90_000)
    })
    expect(lines).toEqual([
      '2 images: at most 100 MB to send in 4 blobs',
      ' 20%  20.0 MB of 100 MB, 2.00 MB/s, 0 of 2 images',
      'pushed host/a:1',
      ' 60%  60.0 MB of 100 MB, 3.00 MB/s, 13 s left, 1 of 2 images',
      ' 60%  60.0 MB of 100 MB, 2.00 MB/s, 20 s left, 1 of 2 images',
      'failed host/b:1',
      SUMMARY,
    ])
  })

  test('a run that ends without a summary tells the causes of the failures it had', async () => {
    const lines = await shown('plain', ({onEvent}) => {
      onEvent(refused('a:1'))
      onEvent(refused('b:1'))
    })
    expect(lines).toEqual([
      'failed host/a:1',
      'failed host/b:1',
      'error: target: 2 images: no push right: host/a:1, host/b:1',
      'hint: ask for it',
    ])
  })

  test('reading is told every 10 s until there is a plan, and not of a bundle that is read sooner', async () => {
    const lines = await shown('plain', ({onEvent}, clock) => {
      onEvent({type: 'reading', bytes: 1000, total: 5000})
      onEvent({type: 'reading', bytes: 2000, total: 5000})
      clock.set(10_000)
      onEvent(plan(0))
      onEvent(plan(0))
    })
    expect(lines).toEqual(['reading the bundle: 2.00 of 5.00 kB', '2 images: at most 0 B to send in 4 blobs'])
  })

  test('the first line has the parts of the last, and is told again when the work grows', async () => {
    const lines = await shown('plain', ({onEvent}) => {
      const first = {
        type: 'plan',
        images: 15,
        blobs: 52,
        bytes: 812e6,
        toMount: {blobs: 12, bytes: 120e6},
        present: {blobs: 3, bytes: 9e6},
      } as const
      onEvent(first)
      onEvent(first)
      onEvent({...first, images: 16})
      onEvent({type: 'plan', images: 17, blobs: 0, bytes: 0, present: {blobs: 3, bytes: 9e6}})
      onEvent({type: 'plan', images: 18, blobs: 0, bytes: 0})
      onEvent({type: 'plan', images: 19, blobs: 2, bytes: 5, reads: true})
    })
    expect(lines).toEqual([
      '15 images: at most 812 MB to send in 40 blobs, 120 MB to mount in 12 blobs, 9.00 MB present in 3 blobs',
      '16 images: at most 812 MB to send in 40 blobs, 120 MB to mount in 12 blobs, 9.00 MB present in 3 blobs',
      '17 images: 9.00 MB present in 3 blobs',
      '18 images',
      '19 images: 5 B to read in 2 blobs',
    ])
  })

  test('retries that come together are one line', async () => {
    const lines = await shown('plain', ({onEvent}, clock) => {
      for (let index = 0; index < 8; index++) {
        onEvent({type: 'retry', what: `PATCH ${index}`, wait: 3000, reason: '503'})
      }
      clock.set(2000)
      onEvent({type: 'retry', what: 'PATCH 0', wait: 6000, reason: '503'})
    })
    expect(lines).toEqual(['retry in 3.0 s: PATCH 0: 503', 'retry in 6.0 s: PATCH 0: 503'])
  })

  test('nothing while a prompt is on the terminal', async () => {
    const lines = await shown('plain', ({onEvent, suspend}, clock) => {
      onEvent(plan(10))
      const resume = suspend()
      clock.set(20_000)
      resume()
      clock.set(30_000)
    })
    expect(lines).toHaveLength(2)
  })
})

describe('without progress', () => {
  const act = ({onEvent, finish}: Renderer): void => {
    onEvent(plan(10))
    onEvent({type: 'note', text: 'decoder: x'})
    onEvent({type: 'warning', text: 'deprecated\u001B[2J'})
    onEvent(ended('a:1'))
    finish(report)
  }

  test('none: warnings and the summary', async () => {
    expect(await shown('none', act)).toEqual([String.raw`warning: deprecated\x1b[2J`, SUMMARY])
  })

  test.each<ProgressMode>(['auto', 'bar', 'plain', 'json', 'none'])('quiet beats %s', async (mode) => {
    expect(await shown(mode, act, {quiet: true})).toEqual([String.raw`warning: deprecated\x1b[2J`])
  })
})

test('json: one object a line, figures at most once a second', async () => {
  const lines = await shown('json', ({onEvent, finish}, clock) => {
    onEvent(plan(1000))
    onEvent(blob('a', 'started', 0, 1000))
    for (let at = 0; at <= 2000; at += 10) {
      clock.set(at)
      onEvent(blob('a', 'progress', at / 10, 1000))
    }
    onEvent({type: 'warning', text: '\u009B2J'})
    onEvent(refused('b:1'))
    finish(report)
  })
  expect(lines.join('\n')).not.toContain('\u009B')
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(objects.map(({type}) => type)).toEqual([
    'plan',
    'blob',
    'progress',
    'progress',
    'progress',
    'warning',
    'image',
    'finish',
  ])
  expect(objects[4]).toEqual({
    elapsed: 2000,
    type: 'progress',
    sent: 200,
    done: 200,
    total: 1000,
    rate: 100,
    images: 0,
    failed: 0,
  })
  expect(objects[6]).toMatchObject({elapsed: 2000, source: 'gcr.io/b:1', error: {code: 'DENIED'}})
  expect(objects[7]).toMatchObject({outcome: 'ok', totals: {images: 1}})
})
