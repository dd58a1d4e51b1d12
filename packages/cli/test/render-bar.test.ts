import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, test} from 'vitest'
import {assignRows} from '#src/render/blob-rows.js'
import {createRenderer} from '#src/render/create-renderer.js'
import {nothingYet} from '#src/render/fold.js'
import {frameOf} from '#src/render/frame.js'
import {blob, ended, folded, plan, refused, report, screen, SUMMARY, type Timed} from './render-fixtures.js'

describe('rows of blobs', () => {
  const active = (...keys: string[]) =>
    new Map(keys.map((key) => [key, {name: key, sent: 0, size: 1, planned: 1}]))

  test.each([
    [[], active('a', 'b'), 8, ['a', 'b']],
    [['a', 'b'], active('b', 'c'), 8, ['c', 'b']],
    [['a', 'b'], active('b'), 8, [undefined, 'b']],
    [['a'], active('a', 'b', 'c'), 2, ['a', 'b']],
    [['a', 'b', 'c'], active('a', 'c'), 2, ['a', 'c']],
  ])('%j', (rows, blobs, most, expected) => {
    expect(assignRows(rows, blobs, {most})).toEqual(expected)
  })
})

describe('a frame', () => {
  const state = folded([
    [0, plan(1e9, 15)],
    [0, ended('a:1')],
    [500, blob('a', 'progress', 5e6, 100e6)],
    [4000, blob('a', 'progress', 25e6, 100e6)],
    [4000, {type: 'retry', what: 'host:5000', wait: 12_000, reason: '503 busy\n'}],
  ])

  test('the whole, each blob, and what is waited for', () => {
    expect(frameOf(state, {now: 5000, columns: 100, rows: ['a', undefined]})).toEqual([
      '[=-----------------------]    2%  25.0 MB of 1.00 GB, 5.00 MB/s, 3m15s left, 1 of 15 images',
      '  ns/a                                                          [===---------]     25.0 MB of 100 MB',
      '',
      String.raw`retry in 11 s: host:5000: 503 busy\n`,
    ])
  })

  test.each([20, 40, 71, 72, 79, 200])('fits %d columns', (columns) => {
    for (const line of frameOf(state, {now: 5000, columns, rows: ['a']}))
      expect(line.length).toBeLessThanOrEqual(columns)
  })

  test.each([
    [72, '  2%  25.0 MB of 1.00 GB, 5.00 MB/s, 3m15s left, 1 of 15 images'],
    [59, '  2%  25.0 MB of 1.00 GB, 3m15s left, 1 of 15 images'],
    [45, '  2%  25.0 MB of 1.00 GB, 3m15s left'],
    [30, '  2%  25.0 MB of 1.00 GB'],
  ])('of %d columns leaves out the rate before the time left, and the time last', (columns, line) => {
    expect(frameOf(state, {now: 5000, columns, rows: []})[0]).toBe(line)
  })

  test('tells of a pass over the source until something is sent', () => {
    const reading = {type: 'reading', bytes: 12e6, total: 39.8e6} as const
    const shown = (...events: Timed[]): string | undefined =>
      frameOf(folded(events), {now: 9000, columns: 80, rows: []})[0]
    expect(shown([0, plan(1e6)], [1, reading])).toContain('reading the bundle: 12.0 of 39.8 MB')
    expect(shown([0, reading], [1, plan(1e6)])).toContain('0 B of 1.00 MB')
    expect(shown([0, plan(1e6)], [1, reading], [2, blob('a', 'progress', 5, 1e6)])).toContain(
      '5 B of 1.00 MB',
    )
  })

  test('before the plan', () => {
    const reading = folded([[0, {type: 'reading', bytes: 1e6, total: 4e6}]])
    expect(frameOf(nothingYet, {now: 0, columns: 80, rows: []})).toEqual(['starting'])
    expect(frameOf(reading, {now: 0, columns: 80, rows: []})).toEqual(['reading the bundle: 1.00 of 4.00 MB'])
  })
})

/** The lines that a terminal of any height shows after these bytes. */
function displayed(text: string): string[] {
  const lines: string[] = ['']
  let [row, column] = [0, 0]
  const put = (line: string): void => {
    lines[row] = line
  }
  const pieces = text.replaceAll('\u001B', '␛').matchAll(/␛\[(\??\d*)([A-Za-z])|\n|[^␛\n]+/g)
  for (const [piece, parameter = '', command] of pieces) {
    const line = lines[row] ?? ''
    const number = Number(parameter === '' ? 0 : parameter)
    if (piece === '\n') {
      ;[row, column] = [row + 1, 0]
      if (row === lines.length) lines.push('')
    } else if (command === undefined) {
      put(line.slice(0, column).padEnd(column) + piece + line.slice(column + piece.length))
      column += piece.length
    } else if (command === 'A') row = Math.max(0, row - number)
    else if (command === 'G') column = number - 1
    else if (command === 'K') put(number === 2 ? '' : line.slice(0, column))
    else if (command === 'J') {
      put(line.slice(0, column))
      lines.length = row + 1
    } else if (command !== 'h' && command !== 'l')
      throw new Error(`unknown sequence ${JSON.stringify(piece)}`)
  }
  return lines
}

describe('bars on a terminal', () => {
  const FRAME = 250

  test('are drawn in place, with messages and pushed names above, and give way to the summary', async () => {
    const stream = screen({isTTY: true, columns: 60})
    const renderer = await createRenderer('auto', {stream})
    renderer.onEvent(plan(1000, 4))
    for (const key of ['a', 'b', 'c']) renderer.onEvent(blob(key, 'progress', 40))
    await delay(FRAME)
    expect(displayed(stream.text())).toEqual([
      expect.stringContaining('12%') as string,
      expect.stringMatching(/ns\/a .*40 B of 100 B/) as string,
      expect.stringContaining('ns/b') as string,
      expect.stringContaining('ns/c') as string,
    ])
    renderer.onEvent(refused('b:1'))
    renderer.onEvent(ended('c:1'))
    renderer.onEvent({type: 'image', source: 'gcr.io/d:1', target: 'host/d:1', status: 'present'})
    renderer.onEvent(blob('b', 'uploaded', 100))
    renderer.onEvent({type: 'warning', text: `long ${'x'.repeat(100)}`})
    await delay(FRAME)
    const after = displayed(stream.text())
    expect(after.slice(0, 3)).toEqual([
      'failed host/b:1',
      'pushed host/c:1',
      `warning: long ${'x'.repeat(100)}`,
    ])
    expect(after.slice(3)).toEqual([
      expect.stringContaining('18%') as string,
      expect.stringContaining('ns/a') as string,
      '',
      expect.stringContaining('ns/c') as string,
    ])
    renderer.onEvent({type: 'note', text: 'told in the last moment'})
    renderer.finish(report)
    expect(displayed(stream.text())).toEqual([...after.slice(0, 3), 'told in the last moment', SUMMARY, ''])
    expect(stream.text().lastIndexOf('\u001B[?25h')).toBeGreaterThan(stream.text().lastIndexOf('\u001B[?25l'))
  })

  test('no more rows than the terminal has, and no line wider', async () => {
    const stream = screen({isTTY: true, columns: 50, rows: 8})
    const renderer = await createRenderer('bar', {stream})
    renderer.onEvent(plan(1e6))
    for (let index = 0; index < 100; index++) {
      renderer.onEvent(blob(`${'long'.repeat(20)}${index}`, 'progress', index))
    }
    await delay(FRAME)
    const lines = displayed(stream.text())
    renderer.close()
    expect(lines).toHaveLength(5)
    for (const line of lines) expect(line.length).toBeLessThan(50)
  })

  test('drawn seldom, however many events', async () => {
    const stream = screen({isTTY: true})
    const renderer = await createRenderer('bar', {stream})
    renderer.onEvent(plan(1e6))
    const framesSoFar = (): number => stream.text().split('of 1.00 MB').length - 1
    let sent = 0
    while (framesSoFar() < 3) {
      for (let burst = 0; burst < 100; burst++) renderer.onEvent(blob('a', 'progress', ++sent, 1e6))
      await delay(1)
    }
    const frames = framesSoFar()
    renderer.close()
    expect(sent).toBeGreaterThanOrEqual(50 * frames)
  })

  test('a prompt has the terminal to itself', async () => {
    const stream = screen({isTTY: true})
    const renderer = await createRenderer('bar', {stream})
    renderer.onEvent(plan(1000))
    await delay(FRAME)
    const resume = renderer.suspend()
    const before = stream.text()
    expect(displayed(before)).toEqual([''])
    expect(
      before.endsWith('\u001B[?25h') || before.lastIndexOf('\u001B[?25h') > before.lastIndexOf('\u001B[?25l'),
    ).toBe(true)
    renderer.onEvent(blob('a', 'progress', 40))
    await delay(FRAME)
    expect(stream.text()).toBe(before)
    resume()
    await delay(FRAME)
    expect(displayed(stream.text()).join('\n')).toContain('ns/a')
    renderer.close()
    expect(displayed(stream.text())).toEqual([''])
    renderer.close()
  })

  test('a run too short for a frame leaves the summary alone', async () => {
    const stream = screen({isTTY: true})
    const renderer = await createRenderer('bar', {stream})
    renderer.finish(report)
    renderer.close()
    expect(displayed(stream.text())).toEqual([SUMMARY, ''])
  })
})
