import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {parse} from './job-kit.js'

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'job-file.md'), 'utf8')
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => ({text}))

it('the page about job files has examples', () => {
  expect(examples.length).toBeGreaterThan(3)
})

it.each(examples)('its example $# is a job file', async ({text}) => {
  const {jobs} = await parse(text, {HUB_TOKEN: 'secret', PRIVATE_REGISTRY: 'registry.example:5000'})
  for (const job of jobs) {
    expect(job.targets.length).toBeGreaterThan(0)
    expect(job.images.length + job.references.length + job.repositories.length).toBeGreaterThan(0)
  }
})
