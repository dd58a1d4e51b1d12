import {Environment} from '@marcbachmann/cel-js'
import * as fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {parseAllDocuments} from 'yaml'
import {formatReference, parseReference, type Reference} from '@airgap-mirror/oci-client/model'
import {emit} from '#src/cluster/emit/emit.js'
import {makeMapping} from '#src/cluster/emit/mapping.js'
import {mapName, type NamingRules} from '#src/names/naming.js'
import {parseRewriteRule} from '#src/names/rewrite.js'

interface Policy {
  readonly kind: string
  readonly spec: {
    readonly variables?: readonly {readonly name: string; readonly expression: string}[]
    readonly mutations?: readonly {readonly applyConfiguration: {readonly expression: string}}[]
    readonly validations?: readonly {readonly expression: string}[]
  }
}

const environment = new Environment({unlistedVariablesAreDyn: true, enableOptionalTypes: true})

function policiesFor(images: readonly Reference[], rules: NamingRules): readonly Policy[] {
  const mapping = makeMapping(
    images.map((source) => ({source, target: mapName({name: source}, rules)})),
    {hosts: [], rules},
  )
  const access = {registry: rules.registry, plainHttp: false, skipVerify: false}
  const request = {mapping, access, fallback: 'cut', blocked: [], searched: [], isDeprecated: false} as const
  const [file] = emit('policy', request).files
  return parseAllDocuments(file?.text ?? '').map((document) => document.toJS() as Policy)
}

/** The image of a container once the policy has changed it. */
function rewritten(image: string, [policy]: readonly Policy[]): unknown {
  const {variables = [], mutations = []} = policy?.spec ?? {}
  const mirrored = variables.map(({name, expression}) => [name, environment.evaluate(expression, {})])
  const whole = mutations[0]?.applyConfiguration.expression ?? ''
  const [, own = ''] = /image:\n([\s\S]*)\n\}\)\}\}/.exec(whole) ?? []
  return environment.evaluate(own, {c: {image}, variables: Object.fromEntries(mirrored) as object})
}

function isAdmitted(image: string, policies: readonly Policy[]): boolean {
  const validations = policies.find(({kind}) => kind === 'ValidatingAdmissionPolicy')?.spec.validations ?? []
  const object = {spec: {containers: [{name: 'app', image}]}}
  return validations.every(({expression}) => environment.evaluate(expression, {object}) === true)
}

/** The ways in which people write a name. */
function spellings(reference: Reference): readonly string[] {
  const full = formatReference(reference)
  if (reference.registry !== 'docker.io') return [full]
  const path = full.slice('docker.io/'.length)
  const bare = /^library\/[^/]+$/.test(path) ? [path.slice('library/'.length)] : []
  // Without its host a path such as b.c/app is an image of the registry b.c.
  const short = [path, ...bare].filter((name) => !/^[^/]*\.[^/]*\//.test(name))
  return [full, `index.docker.io/${path}`, ...short, ...bare.map((name) => `docker.io/${name}`)]
}

const digest = `sha256:${'cd'.repeat(32)}`
const component = fc.constantFrom('team', 'app', 'a', 'b.c', 'library', 'localhost-app')
const image = fc
  .record({
    host: fc.constantFrom('gcr.io', 'docker.io', 'quay.io', 'reg.corp:5000', 'localhost'),
    path: fc.array(component, {minLength: 1, maxLength: 3}).map((parts) => parts.join('/')),
    end: fc.constantFrom(':v1', `@${digest}`, `:v1@${digest}`, ''),
  })
  .map(({host, path, end}) => parseReference(`${host}/${path}${end}`))
const rules = fc
  .record({
    namespace: fc.constantFrom('', 'ns/deep'),
    mapHost: fc.constantFrom('drop' as const, 'keep' as const),
    rewrites: fc.subarray(['^team/=apps/', 'a=aa'], {maxLength: 2}),
  })
  .map(({namespace, mapHost, rewrites}): NamingRules => {
    const parsed = rewrites.map(parseRewriteRule)
    return {
      registry: 'mirror.example:5000',
      namespace,
      mapHost,
      rewrites: parsed,
      map: new Map(),
      maxDepth: undefined,
    }
  })

describe('the admission policy', () => {
  test('gives every image its name in the private registry, however it is written, and admits it then', () => {
    fc.assert(
      fc.property(rules, fc.array(image, {minLength: 1, maxLength: 5}), (naming, images) => {
        const policies = policiesFor(images, naming)
        for (const source of images) {
          const {registry, repository} = mapName({name: source}, naming)
          const end = formatReference(source).slice(`${source.registry}/${source.repository}`.length)
          for (const spelled of spellings(source)) {
            const changed = rewritten(spelled, policies)
            expect([spelled, changed]).toEqual([spelled, `${registry}/${repository}${end}`])
            expect(isAdmitted(String(changed), policies)).toBe(true)
          }
        }
      }),
    )
  })

  test('leaves images of other registries as they are, and refuses them', () => {
    const naming = {
      registry: 'mirror.example:5000',
      namespace: 'ns',
      mapHost: 'drop',
      rewrites: [],
      map: new Map(),
      maxDepth: undefined,
    } as const
    const policies = policiesFor([parseReference('gcr.io/team/app:v1')], naming)
    for (const other of [
      'busybox',
      'quay.io/team/app:v1',
      'gcr.io.evil.example/team/app:v1',
      'mirror.example:5000.evil/x',
    ]) {
      expect(rewritten(other, policies)).toBe(other)
      expect(isAdmitted(other, policies)).toBe(false)
    }
    const own = 'mirror.example:5000/ns/team/app:v1'
    expect(rewritten(own, policies)).toBe(own)
    expect(isAdmitted(own, policies)).toBe(true)
  })
})
