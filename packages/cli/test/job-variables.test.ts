import {formatReference} from '@airgap-mirror/oci-client/model'
import {describe, expect, it} from 'vitest'
import {parse, refused} from './job-kit.js'

describe('variables in a job file', () => {
  const references = async (
    reference: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<string[]> => {
    const {jobs} = await parse(JSON.stringify({jobs: [{name: 'a', references: [reference]}]}), variables)
    return (jobs[0]?.references ?? []).map(({source}) => formatReference(source))
  }

  it('are filled in, within texts', async () => {
    expect(await references('${HOST}/a/${NAME}:v1', {HOST: 'gcr.io', NAME: 'b'})).toEqual(['gcr.io/a/b:v1'])
  })

  it('leave other dollars alone', async () => {
    const text = JSON.stringify({
      jobs: [{name: 'a $x $1 $$ $${HOME} $', references: 'x', rewrite: '^a(.*)$=b$1-${1}'}],
    })
    const {jobs} = await parse(text)
    expect(jobs[0]?.name).toBe('a $x $1 $ ${HOME} $')
    expect(jobs[0]?.naming.rewrites?.[0]?.apply('ac')).toBe('bc-c')
  })

  it('are all named where they are missing', async () => {
    const {message} = await refused('jobs:\n- name: ${ONE}\n  references: ["x/${TWO}"]\n')
    expect(message).toContain('line 2: jobs[0].name: the environment variable ONE is not set')
    expect(message).toContain('line 3: jobs[0].references[0]: the environment variable TWO is not set')
  })

  it('are no shell', async () => {
    const {message} = await refused('jobs: [{name: "${A:-b}", references: x}]', {A: 'a'})
    expect(message).toContain('only ${NAME} is replaced')
  })

  it('are never shown, whatever is wrong with them', async () => {
    const secret = 'hunter2 HUNTER2'
    const {message} = await refused(
      `registries:
  a.example: {limit-rate: "\${S}", need-credential: "\${S}", username: "\${S}"}
jobs:
- {name: a, references: ["\${S}"], targets: "\${S}", rewrite: "\${S}", map-host: "\${S}", platforms: "\${S}"}
- {name: b, repositories: [{repository: "\${S}", tags: {semver: "\${S}", regex: "(\${S}", exact: "\${S}"}}]}
`,
      {S: secret},
    )
    expect(message).toContain(
      'jobs[0].targets: is not HOST[:PORT][/NAMESPACE] once its variables are filled in',
    )
    expect(message).not.toMatch(/hunter2/i)
  })
})
