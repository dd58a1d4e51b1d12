import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {mirrorProgram, runChild, withTempDir} from '@airgap-mirror/test/kit'
import {readDeployed, readYaml} from '../docs/examples.js'

interface Action {
  readonly inputs: Readonly<Record<string, {readonly required?: boolean; readonly default?: string}>>
  readonly runs: {
    readonly using: string
    readonly steps: readonly {
      readonly shell: string
      readonly env: Readonly<Record<string, string>>
      readonly run: string
    }[]
  }
}

interface Component {
  readonly spec: {readonly inputs: Readonly<Record<string, {readonly default?: string | number}>>}
}

interface Pipeline {
  readonly 'mirror-sync': {readonly script: readonly string[]}
}

/** An archive of the shape that `npm run package` gives, with the built program of this checkout. */
async function archiveIn(directory: string): Promise<string> {
  const bin = join(directory, 'mirror-0.1.0-linux-x64', 'bin')
  await mkdir(bin, {recursive: true})
  await writeFile(join(bin, 'mirror'), `#!/bin/sh\nexec '${process.execPath}' '${mirrorProgram()}' "$@"\n`)
  await chmod(join(bin, 'mirror'), 0o755)
  const archive = join(directory, 'mirror archive.tar.xz')
  const {code, stderr} = await runChild('tar', ['-cJf', archive, '-C', directory, 'mirror-0.1.0-linux-x64'])
  expect({code, stderr}).toEqual({code: 0, stderr: ''})
  return archive
}

describe('the action for GitHub', () => {
  const [action] = readYaml(readDeployed('github/action.yml')) as [Action]

  /** Runs the steps as a runner does, with the inputs in the environment and nowhere else. */
  const steps = async (directory: string, inputs: Readonly<Record<string, string>>) => {
    const path = join(directory, 'path.txt')
    await writeFile(path, '')
    const output: string[] = []
    for (const {shell, env, run} of action.runs.steps) {
      expect(shell).toBe('sh')
      expect(run).not.toContain('${{')
      const given = Object.entries(env).map(([name, value]) => {
        const [, input = ''] = /^\$\{\{ inputs\.(\w+) \}\}$/.exec(value) ?? []
        return [name, inputs[input] ?? action.inputs[input]?.default ?? '']
      })
      const added = (await readFile(path, 'utf8')).trim().split('\n')
      const {code, stdout, stderr} = await runChild('sh', ['-e', '-c', run], {
        cwd: directory,
        env: {
          PATH: [...added, process.env['PATH']].join(':'),
          HOME: directory,
          RUNNER_TEMP: join(directory, 'runner temp'),
          GITHUB_PATH: path,
          ...Object.fromEntries(given),
        },
      })
      output.push(stdout + stderr)
      if (code !== 0) return {code, output: output.join('')}
    }
    return {code: 0, output: output.join('')}
  }

  test('is a composite action whose inputs are all used', () => {
    expect(action.runs.using).toBe('composite')
    const used = action.runs.steps.flatMap(({env}) => Object.values(env))
    expect(used.toSorted()).toEqual(
      Object.keys(action.inputs)
        .map((name) => `\${{ inputs.${name} }}`)
        .toSorted(),
    )
  })

  test('unpacks the archive and runs the command, one word a line', async () => {
    await withTempDir(async (directory) => {
      const archive = await archiveIn(directory)
      const {code, output} = await steps(directory, {archive, args: '--version\n'})
      expect({code, output}).toMatchObject({code: 0, output: expect.stringMatching(/0\.1\.0/)})
      const spaced = await steps(directory, {
        archive,
        args: 'inspect\nno such; echo $HOME\n',
      })
      expect(spaced.code).not.toBe(0)
      expect(spaced.output).toContain('no such; echo $HOME')
    })
  })

  test('refuses an archive with another checksum', async () => {
    await withTempDir(async (directory) => {
      const archive = await archiveIn(directory)
      const {code} = await steps(directory, {archive, sha256: 'a'.repeat(64), args: '--version\n'})
      expect(code).not.toBe(0)
      const {stdout} = await runChild('sha256sum', [archive])
      const right = await steps(directory, {archive, sha256: stdout.split(' ')[0] ?? '', args: '--version\n'})
      expect(right.code).toBe(0)
    })
  })
})

describe('the component for GitLab', () => {
  const text = readDeployed('gitlab/template.yml')
  const [{spec}] = readYaml(text.split('\n---\n')[0] ?? '') as [Component]

  const pipeline = (inputs: Readonly<Record<string, string>>): Pipeline => {
    const [, below = ''] = text.split('\n---\n')
    const filled = below.replaceAll(/\$\[\[ inputs\.(\w+) \]\]/g, (_all, name: string) =>
      String(inputs[name] ?? spec.inputs[name]?.default),
    )
    expect(filled).not.toContain('undefined')
    const [read] = readYaml(filled) as [Pipeline]
    return read
  }

  test('runs each of its jobs as a shard, from an archive on the runner, and keeps what it shows', () => {
    expect(pipeline({archive: 'mirror.tar.xz', shards: '4'})['mirror-sync']).toMatchObject({
      rules: [{if: '$CI_PIPELINE_SOURCE == "schedule"'}],
      parallel: 4,
      resource_group: 'mirror-sync-$CI_NODE_INDEX',
      cache: {key: 'mirror-state-$CI_NODE_INDEX', paths: ['.mirror-state/'], when: 'always'},
      artifacts: {when: 'always', paths: ['report.json'], reports: {junit: 'junit.xml'}},
    })
  })

  test.each([
    [{}, undefined],
    [
      {CI_NODE_INDEX: '2', CI_NODE_TOTAL: '4'},
      {index: 1, count: 4},
    ],
  ])('its script, in a job with %j', async (variables, shard) => {
    await withTempDir(async (directory) => {
      const archive = await archiveIn(directory)
      await writeFile(join(directory, 'config.json'), '{}')
      await writeFile(
        join(directory, 'mirror.yaml'),
        'jobs: [{name: a, references: [127.0.0.1:9/a/b:v1], targets: 127.0.0.1:9/m}]\n',
      )
      const {script} = pipeline({archive, config: 'mirror.yaml'})['mirror-sync']
      const {stderr} = await runChild('sh', ['-e', '-c', script.join('\n')], {
        cwd: directory,
        env: {
          PATH: process.env['PATH'],
          HOME: directory,
          REGISTRY_LOGINS: 'config.json',
          MIRROR_RETRIES: '0',
          MIRROR_DRY_RUN: 'true',
          ...variables,
        },
      })
      const report = JSON.parse(await readFile(join(directory, 'report.json'), 'utf8')) as {shard?: object}
      expect({stderr, shard: report.shard}).toMatchObject({shard})
    })
  })
})
