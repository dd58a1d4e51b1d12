import {formatReference} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {parseImageLists} from '#src/names/image-list.js'
import {mapName} from '#src/names/naming.js'
import {distinct, imagesIn, immutableIn, wantedBy} from '#src/job/job-images.js'
import {namingFor, targetsOf} from '#src/job/job-targets.js'
import {parse, refused} from './job-kit.js'

const digest = `sha256:${'0'.repeat(64)}` as const

const full = `
# yaml-language-server: $schema=mirror.schema.json
version: 1
registries:
  index.docker.io:
    username: robot
    password: \${HUB_TOKEN}
    proxy: http://proxy.example:3128
    limit-rate: 20M
    concurrency: 4
  gcr.io:
    service-account-key: keys/gcr.json
    cacert: /etc/ssl/ca.pem
    retry-max-wait: 1m
  "plain.example:5000": {plain-http: true, docker-config: auth.json, chunk-size: auto}
defaults:
  targets: [reg.example:5000/mirror]
  map-host: keep
  referrers: false
jobs:
  - name: k3s
    images: [lists/k3s-images.txt, "-"]
    platforms: linux/amd64
    namespace: k3s
    rewrite: ^rancher/(.*)=r/$1
  - name: tools
    targets:
      - registry: \${TARGET}/a
        max-depth: 2
      - other.example
    referrers: true
    references:
      - busybox:1.36 base/busybox
      - gcr.io/team/app:v1@${digest}
    repositories:
      - quay.io/team/all
      - repository: quay.io/team/some
        tags: [latest, {semver: ">=1", newest: 2, exclude: {regex: ["rc"]}}]
        digests: ${digest}
        target: some
    map: {"quay.io/team/other": "x/y:z"}
    immutable: ["v*", "?.?.?"]
    sparse-index: as-is
    prune: true
    prune-max: 5
    exclude: "**/windows-*"
`

describe('a job file', () => {
  it('says what to mirror, from where and to where', async () => {
    const {registries, jobs} = await parse(full, {HUB_TOKEN: 'secret', TARGET: 'reg.example:5000'})
    expect(Object.fromEntries(registries)).toEqual({
      'docker.io': {
        username: 'robot',
        password: 'secret',
        proxy: 'http://proxy.example:3128',
        limitRate: 20 * 2 ** 20,
        concurrency: 4,
      },
      'gcr.io': {
        serviceAccountKey: '/etc/mirror/keys/gcr.json',
        cacert: '/etc/ssl/ca.pem',
        retryMaxWait: 60_000,
      },
      'plain.example:5000': {plainHttp: true, dockerConfig: '/etc/mirror/auth.json', chunkSize: 'auto'},
    })
    const [k3s, tools] = jobs
    expect(k3s).toMatchObject({
      name: 'k3s',
      images: ['/etc/mirror/lists/k3s-images.txt', '-'],
      platforms: [{os: 'linux', architecture: 'amd64'}],
      targets: [{registry: 'reg.example:5000', namespace: 'mirror/k3s', naming: {mapHost: 'keep'}}],
      referrers: false,
    })
    expect(k3s?.targets[0]?.naming.rewrites?.[0]?.apply('rancher/pause')).toBe('r/pause')
    expect(k3s).not.toHaveProperty('prune')
    expect(tools).toMatchObject({
      targets: [
        {registry: 'reg.example:5000', namespace: 'a', naming: {maxDepth: 2, mapHost: 'keep'}},
        {registry: 'other.example', namespace: ''},
      ],
      referrers: true,
      sparse: 'as-is',
      prune: true,
      pruneMax: 5,
      exclude: ['**/windows-*'],
      repositories: [
        {registry: 'quay.io', repository: 'team/all', digests: []},
        {
          registry: 'quay.io',
          repository: 'team/some',
          tags: [{exact: ['latest']}, {semver: '>=1', newest: 2, exclude: {glob: [], regex: ['rc']}}],
          digests: [digest],
          target: 'some',
        },
      ],
    })
  })

  it('becomes images by name, repositories to list, and their names at each target', async () => {
    const {jobs} = await parse(full, {HUB_TOKEN: 'secret', TARGET: 'reg.example:5000'})
    const [, tools] = jobs
    if (tools === undefined) throw new Error('a job is missing')
    const {images, listings} = wantedBy(tools, parseImageLists([{name: 'l', text: 'gcr.io/x:v2\n'}]))
    expect(images.map(({source, target}) => [formatReference(source), target])).toEqual([
      ['gcr.io/x:v2', undefined],
      ['docker.io/library/busybox:1.36', 'base/busybox'],
      [`gcr.io/team/app:v1@${digest}`, undefined],
      ['quay.io/team/some:latest', 'some:latest'],
      [`quay.io/team/some@${digest}`, 'some'],
    ])
    expect(listings.map(({repository, filters}) => [repository, filters.length])).toEqual([
      ['team/all', 1],
      ['team/some', 1],
    ])
    const [all, some] = listings.map((listing) =>
      imagesIn(listing, ['1.0.0', '1.1.0', 'latest', '1.2.0', '2.0.0-rc']),
    )
    expect(all?.map(({source}) => source.tag)).toEqual(['1.0.0', '1.1.0', 'latest', '1.2.0', '2.0.0-rc'])
    expect(some?.map(({source, target}) => [source.tag, target])).toEqual([
      ['1.1.0', 'some:1.1.0'],
      ['1.2.0', 'some:1.2.0'],
    ])
    const everything = [...images, ...(some ?? [])]
    const names = tools.targets.map((target) => {
      const rules = namingFor(target, {images: everything})
      return everything.map(({source}) => formatReference(mapName({name: source}, rules)))
    })
    expect(names).toEqual([
      [
        'reg.example:5000/a/gcr.io-x:v2',
        'reg.example:5000/a/base/busybox:1.36',
        `reg.example:5000/a/gcr.io-team-app:v1@${digest}`,
        'reg.example:5000/a/some:latest',
        `reg.example:5000/a/some@${digest}`,
        'reg.example:5000/a/some:1.1.0',
        'reg.example:5000/a/some:1.2.0',
      ],
      [
        'other.example/gcr.io/x:v2',
        'other.example/base/busybox:1.36',
        `other.example/gcr.io/team/app:v1@${digest}`,
        'other.example/some:latest',
        `other.example/some@${digest}`,
        'other.example/some:1.1.0',
        'other.example/some:1.2.0',
      ],
    ])
    const isImmutable = immutableIn(tools)
    const name = {registry: 'a.example', repository: 'b'}
    expect(
      [{...name, tag: 'v1'}, {...name, tag: 'latest'}, {...name, digest}, name].map(isImmutable),
    ).toEqual([true, false, true, false])
  })

  it('goes where a flag says, by its own rules, or to its targets', async () => {
    const {jobs} = await parse(full, {HUB_TOKEN: 'secret', TARGET: 'reg.example:5000'})
    const [k3s, tools] = jobs
    if (k3s === undefined || tools === undefined) throw new Error('a job is missing')
    expect(targetsOf(k3s, 'flag.example/x')).toMatchObject([
      {text: 'flag.example/x', registry: 'flag.example', namespace: 'x/k3s', naming: {mapHost: 'keep'}},
    ])
    expect(targetsOf(tools, undefined)).toBe(tools.targets)
    expect(() => targetsOf({...tools, targets: []}, undefined)).toThrow(/the job "tools" has no targets/)
  })

  it('wants an image once, and refuses two targets for it', async () => {
    const {jobs} = await parse('jobs: [{name: a, targets: r.example, references: [x, x, x a, x b]}]')
    const [job] = jobs
    const [target] = job?.targets ?? []
    if (job === undefined || target === undefined) throw new Error('a job is missing')
    const images = distinct(wantedBy(job, []).images)
    expect(images.map((image) => image.target)).toEqual([undefined, 'a', 'b'])
    expect(() => namingFor(target, {images})).toThrow(/docker.io\/library\/x is given two targets: a and b/)
  })

  it('merges keys and repeats what aliases name', async () => {
    const {jobs} = await parse(`
defaults: &base {platforms: [linux/arm64]}
jobs:
  - &one {<<: *base, name: one, references: [busybox]}
  - {<<: *one, name: two}
`)
    expect(jobs.map(({name, platforms}) => [name, platforms?.[0]?.architecture])).toEqual([
      ['one', 'arm64'],
      ['two', 'arm64'],
    ])
  })
})

describe('what is wrong with a job file', () => {
  it('is told at once, each with its line and its place', async () => {
    const error = await refused(`registries:
  gcr.io: {username: me, service-account-key: x.json}
  gcr.io/path: {}
jobs:
  - name: a
    tagz: 1
    plaforms: linux/amd64
    repositories:
      - repository: a/b:v1
        tags: [1.10, {newest: 0, semver: "sometimes"}]
      - {}
  - name: a
    references: [a/UPPER, ok]
    rewrite: "(?=x)=y"
    map-host: maybe
    targets: https://reg.example
`)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message.split('; ')).toEqual([
      expect.stringMatching(/^mirror\.yaml: \d+ problems$/),
      'line 2: registries["gcr.io"].service-account-key: cannot go with username: give one of them',
      'line 2: registries["gcr.io"].username: needs password or password-file',
      'line 3: registries["gcr.io/path"]: "gcr.io/path" is not HOST[:PORT]',
      'line 6: jobs[0].tagz: is not a known key',
      'line 7: jobs[0].plaforms: is not a known key: did you mean platforms?',
      expect.stringMatching(/^line 9: jobs\[0\]\.repositories\[0\]\.repository: a repository has no tag/),
      'line 10: jobs[0].repositories[0].tags[0]: is a number unless it is in quotes: it has to be text or keys and values',
      'line 10: jobs[0].repositories[0].tags[1].newest: is not from 1 to 100000',
      expect.stringMatching(
        /^line 10: jobs\[0\]\.repositories\[0\]\.tags\[1\]\.semver: "sometimes" is not a range/,
      ),
      'line 11: jobs[0].repositories[1].repository: is missing',
      'line 12: jobs[1].name: another job has this name',
      expect.stringMatching(/^line 13: jobs\[1\]\.references\[0\]: .*lower case/),
      expect.stringMatching(/^line 14: jobs\[1\]\.rewrite: "\(\?=x\)=y": /),
      'line 15: jobs[1].map-host: is not one of: drop, keep',
      expect.stringMatching(/^line 16: jobs\[1\]\.targets: .*has a scheme/),
    ])
  })

  it('is told of a file that is no YAML without quoting it', async () => {
    const texts = [
      'jobs:\n  - name: a\n   bad: hunter2\n',
      'registries: {a.example: {password: !hunter2 x}}\njobs: []\n',
      'registries: {a.example: {password: *hunter2}}\njobs: []\n',
      'password: "\\hunter2"\n',
      'a: |hunter2\n  x\n',
      'jobs: []\njobs: [hunter2]\n',
      'jobs: []\n---\nhunter2: 1\n',
    ]
    for (const text of texts) {
      const {code, message} = await refused(text)
      expect({code, message}).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^mirror\.yaml is not valid YAML; line \d: /),
      })
      expect(message).not.toContain('unter2')
    }
  })

  it.each([
    ['', 'is empty: it has to be keys and values'],
    ['[]', 'is a list: it has to be keys and values'],
    ['jobs: []', 'jobs: is empty'],
    ['jobs: [{name: a}]', 'jobs[0]: has no images'],
    ['jobs: [{name: a, references: []}]', 'jobs[0]: has no images'],
    ['jobs: [{name: "", references: x}]', 'jobs[0].name: is empty'],
    ['version: 2\njobs: [{name: a, references: x}]', 'line 1: version: is not from 1 to 1'],
    ['jobs: [{name: a, references: x, map: {"a b": c}}]', 'jobs[0].map["a b"]'],
    ['jobs: [{name: a, references: x, __proto__: {}}]', 'jobs[0].__proto__: is not a known key'],
    ['registries: {a.example: {client-cert: c}}\njobs: [{name: a, references: x}]', 'client-key: is missing'],
    [
      'registries: {docker.io: {}, index.docker.io: {}}\njobs: [{name: a, references: x}]',
      'is there already',
    ],
    ['registries: {a.example: {password: p}}\njobs: [{name: a, references: x}]', 'the password needs it'],
    ['jobs: [{name: a, references: "x my,box"}]', 'the target in its second column'],
    ['jobs: [{name: a, immutable: ["[abc]"], references: x}]', 'is not a glob for tags'],
  ])('%s', async (text, told) => {
    expect((await refused(text)).message).toContain(told)
  })

  it('is bounded: aliases that multiply, and nesting', async () => {
    const rows = Array.from({length: 9}, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]`)
    const bomb = await refused(`a0: &a0 [x]\n${rows.join('\n')}\n`)
    expect(bomb.message).toMatch(/aliases multiply too often/)
    const deep = await refused(`jobs: ${'['.repeat(100_000)}`)
    expect(deep).toMatchObject({code: 'CONFIG_INVALID'})
    const long = await refused(`# ${'x'.repeat(16 * 2 ** 20)}`)
    expect(long.code).toBe('LIMIT_EXCEEDED')
  })
})
