import type {Reading} from './hostile-case.js'
import {readBundle} from './read-bundle.js'

/** The child that reads hostile bundles, one path a message: a hang or a crash here ends no test run. */

async function read(path: string): Promise<Reading> {
  const before = {rss: process.memoryUsage.rss(), peak: peak()}
  let seen = before.rss
  const timer = setInterval(() => (seen = Math.max(seen, process.memoryUsage.rss())), 5)
  const {outcome, message} = await readBundle(path)
  clearInterval(timer)
  // The kernel's own mark misses nothing, but only tells where it rose.
  const highest = peak() > before.peak ? peak() : seen
  return {outcome, message, growth: highest - before.rss}
}

function peak(): number {
  return process.resourceUsage().maxRSS * 1024
}

process.on('message', (path: string) => {
  void read(path).then(
    (reading) => process.send?.(reading),
    (error: unknown) => {
      process.send?.({
        outcome: 'CRASH',
        message: String(error instanceof Error ? error.stack : error),
        growth: 0,
      })
    },
  )
})
