import {stringify} from 'yaml'
import {heading, isOlder, type EmitRequest, type Emission} from './emission.js'
import {refuseAllHosts, routesOf, type Route} from './routes.js'

/** Admission policies that rewrite the images of new pods, and with `cut` refuse all others. */
export function emitPolicy(request: EmitRequest): Emission {
  const {mapping, access, fallback} = request
  refuseAllHosts(mapping, 'policy')
  const routes = routesOf(mapping, {target: 'policy', isExact: true})
  const rewritten = rewriting(routes, access.registry)
  const table = tableOf(routes, access.registry)
  const version = isOlder(request, 1, 34) ? 'v1alpha1' : isOlder(request, 1, 36) ? 'v1beta1' : 'v1'
  const documents = [
    ...mutation({
      name: 'mirror-images',
      version,
      operations: ['CREATE'],
      resources: ['pods'],
      fields: ['containers', 'initContainers'],
      rewritten,
      table,
    }),
    ...mutation({
      name: 'mirror-debug-images',
      version,
      operations: ['UPDATE'],
      resources: ['pods/ephemeralcontainers'],
      fields: ['ephemeralContainers'],
      rewritten,
      table,
    }),
    ...(fallback === 'cut' ? refusal(access.registry) : []),
  ]
  const text = documents
    .map((document) => stringify(document, {lineWidth: 0, blockQuote: 'literal'}))
    .join('---\n')
  return {
    files: [{path: 'mirror-policy.yaml', text: heading(`new pods pull from ${access.registry}.`) + text}],
    notes: [
      `Needs the API admissionregistration.k8s.io/${version}${version === 'v1' ? ', which Kubernetes 1.36 has' : ', which has to be switched on in the API server'}.`,
      'Static pods are started by the kubelet without admission: change their files.',
      `Pods need an imagePullSecret for ${access.registry}.`,
    ],
  }
}

/** A CEL expression over `c.image`: the name at the private registry, or the image as it is. */
function rewriting(routes: readonly Route[], registry: string): string {
  const at = (path: string): string => (path === '' ? registry : `${registry}/${path}`)
  const hasExact = routes.some(({repository}) => repository !== undefined)
  const hosts = routes.filter(({repository}) => repository === undefined)
  const byHost = hosts.reduceRight(
    (otherwise, {host, path}) =>
      `i.startsWith(${quoted(`${host}/`)}) ? ${quoted(`${at(path)}/`)} + i.substring(${host.length + 1}) : ${otherwise}`,
    'c.image',
  )
  const byName = !hasExact
    ? [byHost]
    : [
        `[[i.split('@')[0]].map(n, n.lastIndexOf(':') > n.lastIndexOf('/') ? n.substring(0, n.lastIndexOf(':')) : n)[0]].map(n,`,
        '  n in variables.mirrored',
        '    ? variables.mirrored[n] + i.substring(n.size())',
        `    : ${byHost})[0]`,
      ]
  return [
    '[c.image]',
    // As the runtime reads it: no host means docker.io, and no path there means library/.
    `.map(i, i.contains('/') && (i.split('/')[0] == 'localhost' || i.split('/')[0].matches('[.:]')) ? i : 'docker.io/' + i)`,
    `.map(i, i.startsWith('index.docker.io/') ? 'docker.io/' + i.substring(16) : i)`,
    `.map(i, i.startsWith('docker.io/') && !i.substring(10).contains('/') ? 'docker.io/library/' + i.substring(10) : i)`,
    `.map(i, ${byName.join('\n')})[0]`,
  ].join('\n')
}

/** A CEL map of the repositories that do not follow their host; absent if there are none. */
function tableOf(routes: readonly Route[], registry: string): string | undefined {
  const entries = routes.flatMap(({host, repository, path}) =>
    repository === undefined ? [] : [`${quoted(`${host}/${repository}`)}: ${quoted(`${registry}/${path}`)}`],
  )
  return entries.length === 0 ? undefined : `{\n${entries.join(',\n')}\n}`
}

interface Mutation {
  readonly name: string
  readonly version: string
  readonly operations: readonly string[]
  readonly resources: readonly string[]
  readonly fields: readonly string[]
  readonly rewritten: string
  readonly table: string | undefined
}

function mutation({
  name,
  version,
  operations,
  resources,
  fields,
  rewritten,
  table,
}: Mutation): readonly object[] {
  const apiVersion = `admissionregistration.k8s.io/${version}`
  const mutations = fields.map((field) => ({
    patchType: 'ApplyConfiguration',
    applyConfiguration: {
      expression: `Object{spec: Object.spec{${field}: object.spec.?${field}.orValue([]).map(c, Object.spec.${field}{name: c.name, image:\n${rewritten}\n})}}\n`,
    },
  }))
  return [
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: {name},
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'IfNeeded',
        matchConstraints: {
          resourceRules: [{apiGroups: [''], apiVersions: ['v1'], operations, resources}],
        },
        variables: table === undefined ? undefined : [{name: 'mirrored', expression: table}],
        mutations,
      },
    },
    {apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata: {name}, spec: {policyName: name}},
  ]
}

/** Refuses pods whose images are not in the private registry; mirror pods only show what already runs. */
function refusal(registry: string): readonly object[] {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const name = 'mirror-only'
  const prefix = quoted(`${registry}/`)
  const fields = ['containers', 'initContainers', 'ephemeralContainers']
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: {name},
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            // No updates of pods: those that run already would lose every change of a label.
            {apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods']},
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              operations: ['UPDATE'],
              resources: ['pods/ephemeralcontainers'],
            },
          ],
        },
        matchConditions: [
          {
            name: 'not-a-mirror-pod',
            expression: `!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))`,
          },
        ],
        validations: fields.map((field) => ({
          expression: `object.spec.?${field}.orValue([]).all(c, c.image.startsWith(${prefix}))`,
          message: `images are pulled from ${registry} alone`,
        })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: {name},
      spec: {policyName: name, validationActions: ['Deny']},
    },
  ]
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
