import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {startManyImages} from './many-images.js'
import {inDirectory, syncOurs} from './sync-sides.js'

/** Peak memory of a sync of many references, cold and again without changes: `--references=1000,10000`. */
const given = /^--references=([\d,]+)$/.exec(process.argv[2] ?? '')?.[1] ?? '1000,10000'
const directory = join(tmpdir(), 'airgap-mirror-sync-memory')

for (const count of given.split(',').map(Number)) {
  const goal = count > 1000 ? 512 : 256
  await using images = await startManyImages(count)
  await inDirectory(directory, async (own) => {
    for (const run of ['cold', 'warm']) {
      const {seconds, peakMemory, report} = await syncOurs({...images, directory: own})
      const figures = `${(peakMemory / 1_048_576).toFixed(0)} MiB at most (goal ${goal}), ${seconds.toFixed(1)} s`
      process.stdout.write(`${count} references, ${run}: ${figures}, ${report.totals.requests} requests\n`)
    }
  })
}
