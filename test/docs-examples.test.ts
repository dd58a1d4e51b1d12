import {existsSync} from 'node:fs'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {requireTool, runChild, withTempDir} from '@airgap-mirror/test/kit'
import {exampleNames, readCron, readDeployed, readExample, readUnit, readYaml} from './docs/examples.js'
import type {Pipeline, CronJob, MirrorContainer, FillJob, Alerts} from './docs/example-types.js'
import {codeBlocks, localLinks, readPages, root} from './docs/pages.js'
import {setStage, type Stage} from './docs/stage.js'

/** The places of files in the examples, and on the stage. */
const PLACES: readonly (readonly [place: string, staged: string])[] = [
  ['/usr/local/bin/mirror', 'mirror'],
  ['/etc/mirror-logins', '.'],
  ['/etc/mirror', '.'],
  ['/var/lib/mirror-metrics', 'metrics'],
  ['/var/lib/mirror', 'state'],
  ['%S', 'state'],
  ['%t', 'runtime'],
]

function staged(text: string): string {
  return PLACES.reduce((whole, [place, there]) => whole.replaceAll(place, there), text)
}

const service = readUnit(readExample('mirror-sync.service'))
const timer = readUnit(readExample('mirror-sync.timer'))
const cron = readCron(readExample('mirror.cron'))
const [pipeline] = readYaml(readExample('gitlab-ci.yml')) as [Pipeline]
const [cronJob] = readYaml(readDeployed('kubernetes/base/cronjob.yaml')) as [CronJob]
const [alerts] = readYaml(readExample('mirror-alerts.yml')) as [Alerts]

describe('the example files', () => {
  const page = readPages().find(({path}) => path === 'docs/nightly-sync.md')
  if (page === undefined) throw new Error('there is no docs/nightly-sync.md')
  const shown = codeBlocks(page)
    .filter(({language}) => language === 'yaml')
    .map(({text}) => text)

  test('each is linked where it is explained, and is tested here', () => {
    const linked = localLinks(page).flatMap((link) => /^examples\/(.+)$/.exec(link)?.[1] ?? [])
    expect([...new Set(linked)].toSorted()).toEqual(exampleNames())
    expect(exampleNames()).toEqual([
      'Dockerfile',
      'gitlab-ci.yml',
      'mirror-alerts.yml',
      'mirror-sync.service',
      'mirror-sync.timer',
      'mirror.cron',
      'mirror.yaml',
    ])
  })

  test('the page shows the job file as it is', () => {
    expect(shown).toContain(readExample('mirror.yaml').replace(/^(?:#.*\n)+/, ''))
  })

  test('the page shows a rule of the alerts as it is', () => {
    const [rule] = shown.flatMap((text) => (text.startsWith('- alert:') ? readYaml(text) : []))
    expect(alerts.groups[0]?.rules).toContainEqual(expect.objectContaining((rule as [object])[0]))
  })

  test('the timer starts the service of its name, every night, and makes up for a night it missed', () => {
    expect(timer['Timer']).toMatchObject({OnCalendar: ['*-*-* 02:30:00'], Persistent: ['true']})
    expect(timer['Timer']).not.toHaveProperty('Unit')
    expect(timer['Install']).toEqual({WantedBy: ['timers.target']})
  })

  test('the service runs once, as nobody, and writes to nothing but its state and its metrics', () => {
    expect(service['Unit']).toMatchObject({
      Wants: ['network-online.target'],
      After: ['network-online.target'],
    })
    expect(service['Service']).toMatchObject({
      Type: ['oneshot'],
      DynamicUser: ['yes'],
      StateDirectory: ['mirror'],
      StateDirectoryMode: ['0700'],
      RuntimeDirectory: ['mirror'],
      RuntimeDirectoryPreserve: ['yes'],
      LoadCredential: ['config.json:/etc/mirror/config.json'],
      Nice: ['10'],
      NoNewPrivileges: ['yes'],
      ProtectSystem: ['strict'],
    })
    // A compiler at run time needs memory that is written and run.
    expect(service['Service']).not.toHaveProperty('MemoryDenyWriteExecute')
    expect(service['Service']?.['ExecStart']).toHaveLength(1)
  })

  test.skipIf(process.platform !== 'linux')('systemd takes both units', async (context) => {
    requireTool(context, 'systemd-analyze')
    await withTempDir(async (directory) => {
      const program = join(directory, 'mirror')
      await writeFile(program, '#!/bin/sh\n')
      await chmod(program, 0o755)
      const units = ['mirror-sync.service', 'mirror-sync.timer'].map((name) => ({
        path: join(directory, name),
        text: readExample(name).replaceAll('/usr/local/bin/mirror', program),
      }))
      for (const {path, text} of units) await writeFile(path, text)
      const files = units.map(({path}) => path)
      const {code, stderr} = await runChild('systemd-analyze', ['verify', '--man=no', ...files])
      expect({code, stderr}).toEqual({code: 0, stderr: ''})
    })
  })

  test('cron runs one command as its own user, and mails what that prints', () => {
    expect(cron.variables).toMatchObject({MAILTO: 'root', DOCKER_CONFIG: '/etc/mirror'})
    expect(cron.lines).toMatchObject([{user: 'mirror'}])
    expect(cron.lines[0]?.command).toContain(' --quiet ')
  })

  test('a cron line that cron would read otherwise is noticed', () => {
    expect(() => readCron('30 2 * * * mirror date +%F\n')).toThrow('not a line')
    expect(() => readCron('30 2 * * mirror sync\n')).toThrow('not a line')
    expect(() => readCron('30 2 * * * mirror sync')).toThrow('does not end')
  })

  test('the job for GitLab runs on a schedule, alone, and keeps its state and its report', () => {
    const job = pipeline['mirror-sync']
    expect(Object.keys(pipeline)).toEqual(['mirror-sync'])
    expect(job).toMatchObject({
      image: '$CI_REGISTRY_IMAGE/mirror',
      rules: [{if: '$CI_PIPELINE_SOURCE == "schedule"'}],
      resource_group: 'mirror-sync',
      cache: {key: 'mirror-state', paths: ['.mirror-state/'], when: 'always'},
      artifacts: {when: 'always', paths: ['report.json', 'failed.txt'], reports: {junit: 'junit.xml'}},
    })
    expect(job.script.join('\n')).toContain('--state .mirror-state ')
  })

  test('the Dockerfile links the program that a checkout has', () => {
    const steps = readExample('Dockerfile').match(/^[A-Z]+ .*/gm) ?? []
    expect(steps.map((step) => step.split(' ')[0])).toEqual(['FROM', 'COPY', 'RUN', 'USER'])
    const program = /ln -s \/opt\/mirror\/(\S+) \/usr\/local\/bin\/mirror$/m.exec(steps.join('\n'))?.[1] ?? ''
    expect(existsSync(join(root, program))).toBe(true)
  })

  test('the alerts are on metrics that a run leaves', async () => {
    const rules = alerts.groups.flatMap((group) => group.rules)
    expect(rules.map(({alert}) => alert)).toEqual(['MirrorSyncOld', 'MirrorSyncUnknown', 'MirrorSyncDrift'])
    await using stage = await setStage()
    const {output} = await stage.run(
      'mirror sync --config mirror.yaml --quiet --metrics mirror.prom; cat mirror.prom',
    )
    for (const {expr} of rules) {
      const [, name = '', labels = ''] = /(mirror_\w+)\{([^}]*)\}/.exec(expr) ?? []
      const lines = output.split('\n').filter((line) => line.startsWith(`${name}{`))
      const found = lines.find((line) => labels.split(', ').every((label) => line.includes(label)))
      expect({expr, found}).toMatchObject({found: expect.stringMatching(/ \d/) as string})
    }
  })
})

describe.skipIf(process.platform === 'win32')('the commands in the example files work', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await setStage()
  })
  afterAll(() => stage[Symbol.asyncDispose]())

  const setting = (variables: Readonly<Record<string, string>>): string =>
    // No login but the one that the example names is to be found.
    Object.entries({HOME: '/nonexistent', XDG_STATE_HOME: '/nonexistent', ...variables})
      .map(([name, value]) => `export ${name}='${staged(value)}'\n`)
      .join('')

  /**
   * The environment that a container of the CronJob has: its uid, which no entry in passwd names, and the variables of the
   * manifest alone. Those of the stage replace the network.
   */
  const asInPod = (variables: Readonly<Record<string, string>>): string => {
    const network = ['PATH', 'HTTPS_PROXY', 'HTTP_PROXY', 'NODE_EXTRA_CA_CERTS'].map(
      (name) => `${name}="$${name}"`,
    )
    const own = Object.entries(variables).map(([name, value]) => `${name}='${staged(value)}'`)
    const clean = `env -i ${[...network, ...own].join(' ')}`
    if (process.getuid?.() !== 0) return clean
    const {runAsUser: uid, runAsGroup: gid} = cronJob.spec.jobTemplate.spec.template.spec.securityContext
    const owned = `mkdir -p state && chown -R ${uid}:${gid} state && chmod -R a+rX . && chmod 700 state`
    return `${owned}\nsetpriv --reuid=${uid} --regid=${gid} --clear-groups ${clean}`
  }

  /** Runs it twice, since the second night finds what the first has left. */
  const twoNights = async (script: string): Promise<readonly object[]> => {
    const night = async (commands: string): Promise<object> => ({
      ...(await stage.run(commands)),
      problems: stage.problems(),
    })
    return [await night(`mkdir -p metrics runtime/mirror\n${staged(script)}`), await night(staged(script))]
  }

  const good = {code: 0, problems: []}
  const quiet = {...good, output: ''}

  test('of cron', async () => {
    const {MAILTO: _mail, PATH: _path, ...variables} = cron.variables
    expect(await twoNights(`${setting(variables)}${cron.lines[0]?.command}`)).toEqual([quiet, quiet])
  })

  test('of systemd', async () => {
    const start = service['Service']?.['ExecStart']?.[0] ?? ''
    expect(await twoNights(`${setting({CREDENTIALS_DIRECTORY: '.'})}${start}`)).toEqual([quiet, quiet])
  })

  test('of GitLab', async () => {
    const script = pipeline['mirror-sync'].script.join('\n')
    const nights = await twoNights(`${setting({REGISTRY_LOGINS: 'config.json'})}${script}`)
    expect(nights).toMatchObject([good, good])
  })

  /** The command of a container, with the files of the base where it looks for them. */
  const commandOf = async ({command, args, env}: MirrorContainer): Promise<string> => {
    await mkdir(join(stage.directory, 'kubernetes'), {recursive: true})
    for (const name of ['mirror.yaml', 'k3s-images.txt'])
      await writeFile(
        join(stage.directory, 'kubernetes', name),
        readDeployed(`kubernetes/base/config/${name}`).replace('/etc/mirror-ca/', ''),
      )
    const variables = Object.fromEntries(env.map(({name, value}) => [name, value]))
    const line = [...command, ...args].map((word) => `'${word}'`).join(' ')
    return `cp ca.pem kubernetes/\n${asInPod(variables)} ${line.replace('/etc/mirror/', 'kubernetes/')}`
  }

  test('of the CronJob in Kubernetes', async () => {
    const [container] = cronJob.spec.jobTemplate.spec.template.spec.containers
    expect(await twoNights(await commandOf(container))).toMatchObject([good, good])
  })

  test('of the Job in Kubernetes, for its first and its last shard', async () => {
    const [{spec}] = readYaml(readDeployed('kubernetes/shards/job.yaml')) as [FillJob]
    const command = await commandOf(spec.template.spec.containers[0])
    for (const index of [0, spec.completions - 1]) {
      const inPod = command.replaceAll('$(JOB_COMPLETION_INDEX)', `${index}`)
      const {code, output} = await stage.run(inPod)
      expect({code, output}).toMatchObject({code: 0, output: expect.stringContaining(`"index": ${index},`)})
    }
  })
})
