import {stringify} from 'yaml'
import {MirrorError, defined} from '@airgap-mirror/oci-client/model'
import {authJson, sourceScopes} from './containers.js'
import {heading, isOlder, type EmitRequest, type EmittedFile, type Emission} from './emission.js'
import {mirrorName} from './mirror-url.js'
import {cannotCut, notExpressible} from './not-expressible.js'
import {refuseAllHosts, routesOf, type Route} from './routes.js'

const CA_MAP = 'mirror-registry-ca'
const INTERNAL = 'image-registry.openshift-image-registry.svc:5000'
/** The repositories of the release image and of its components. */
const PAYLOAD = 'quay.io/openshift-release-dev'

/** Mirror sets, image.config with the CA, and a ClusterImagePolicy if a key is given. */
export function emitOpenshift(request: EmitRequest): Emission {
  const {mapping, access, signatureKey} = request
  refuseAllHosts(mapping, 'openshift')
  const routes = routesOf(mapping, {target: 'openshift'})
  const sets = isOlder(request, 4, 13) ? sourcePolicy(request, routes) : mirrorSets(request, routes)
  const ca = access.plainHttp ? undefined : access.ca
  return {
    files: [
      yamlFile('mirror-sets', sets, 'the nodes restart their pods one after the other when it is applied.'),
      ...(ca === undefined
        ? []
        : [
            yamlFile(
              'mirror-registry-ca',
              [caMap(access.registry, ca)],
              'nodes get it as /etc/docker/certs.d.',
            ),
          ]),
      ...imageConfig(request, {hasCa: ca !== undefined}),
      ...(signatureKey === undefined
        ? []
        : [yamlFile('image-policy', [imagePolicy(request, signatureKey)], 'signatures are read by tag.')]),
      ...(access.login === undefined
        ? []
        : [{path: 'pull-secret.json', text: authJson(access), isSecret: true}]),
    ],
    notes: notes(request),
  }
}

function mirrorSets({access, fallback}: EmitRequest, routes: readonly Route[]): readonly object[] {
  const mirrorSourcePolicy = fallback === 'cut' ? 'NeverContactSource' : 'AllowContactingSource'
  const entries = routes.map((route) => ({...mirrorEntry(route, access.registry), mirrorSourcePolicy}))
  const metadata = {name: 'mirror'}
  const apiVersion = 'config.openshift.io/v1'
  // Both kinds name every source: a policy must be the same in both, and signatures are read by tag.
  return [
    {apiVersion, kind: 'ImageDigestMirrorSet', metadata, spec: {imageDigestMirrors: entries}},
    {apiVersion, kind: 'ImageTagMirrorSet', metadata, spec: {imageTagMirrors: entries}},
  ]
}

function sourcePolicy({access, fallback, mapping}: EmitRequest, routes: readonly Route[]): readonly object[] {
  if (fallback === 'cut') {
    throw cannotCut('OpenShift before 4.13', 'an ImageContentSourcePolicy always lets nodes ask the source')
  }
  const tagged = mapping.images.filter(({source}) => source.digest === undefined)
  if (tagged.length > 0) {
    throw notExpressible('OpenShift before 4.13 mirrors only pulls by digest', {
      images: tagged,
      hint: 'List these images by digest, or use OpenShift 4.13 or later.',
    })
  }
  return [
    {
      apiVersion: 'operator.openshift.io/v1alpha1',
      kind: 'ImageContentSourcePolicy',
      metadata: {name: 'mirror'},
      spec: {repositoryDigestMirrors: routes.map((route) => mirrorEntry(route, access.registry))},
    },
  ]
}

function mirrorEntry({host, repository, path}: Route, registry: string): {source: string; mirrors: string[]} {
  return {
    source: [host, repository].filter(Boolean).join('/'),
    mirrors: [path === '' ? registry : `${registry}/${path}`],
  }
}

/** Keys of a ConfigMap cannot hold a colon: OpenShift reads `..` as one. */
function caMap(registry: string, ca: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: CA_MAP, namespace: 'openshift-config'},
    data: {[registry.replace(':', '..')]: ca},
  }
}

function imageConfig(request: EmitRequest, {hasCa}: {readonly hasCa: boolean}): readonly EmittedFile[] {
  const {access, admit, blocked, searched, mapping} = request
  if (admit === 'sources' && blocked.length > 0) {
    throw new MirrorError(
      'USAGE',
      'OpenShift takes a list of allowed registries or one of blocked ones, not both',
      {
        hint: 'Use either --admit sources or --block.',
      },
    )
  }
  const isInsecure = access.plainHttp || access.skipVerify
  const allowed = [...new Set([...sourceScopes(mapping), access.registry, INTERNAL, PAYLOAD])]
  const registrySources = defined({
    allowedRegistries: admit === 'sources' ? allowed : undefined,
    blockedRegistries: blocked.length > 0 ? blocked : undefined,
    insecureRegistries: isInsecure ? [access.registry] : undefined,
    containerRuntimeSearchRegistries: searched.length > 0 ? searched : undefined,
  })
  const imports = [...new Set(allowed.map((name) => name.split('/')[0] ?? name))]
  const spec = defined({
    additionalTrustedCA: hasCa ? {name: CA_MAP} : undefined,
    registrySources: Object.keys(registrySources).length > 0 ? registrySources : undefined,
    allowedRegistriesForImport:
      admit === 'sources'
        ? imports.map((domainName) => ({
            domainName,
            insecure: isInsecure && domainName === access.registry,
          }))
        : undefined,
  })
  if (Object.keys(spec).length === 0) return []
  const image = {apiVersion: 'config.openshift.io/v1', kind: 'Image', metadata: {name: 'cluster'}, spec}
  const about =
    admit === 'sources'
      ? 'allowedRegistries lists the names that pods use. Without the release payload and the internal registry the cluster breaks.'
      : 'applied onto the Image that every cluster has.'
  return [yamlFile('image-config', [image], about)]
}

function imagePolicy({mapping, access}: EmitRequest, key: string): object {
  const scopes = [
    ...new Set([
      ...sourceScopes(mapping),
      ...mapping.images.map(({target}) => mirrorName(access, target.repository)),
    ]),
  ]
  return {
    apiVersion: 'config.openshift.io/v1',
    kind: 'ClusterImagePolicy',
    metadata: {name: 'mirror'},
    spec: {
      scopes: scopes.filter((scope) => !scope.startsWith(`${access.registry}/`)),
      policy: {
        rootOfTrust: {policyType: 'PublicKey', publicKey: {keyData: Buffer.from(key).toString('base64')}},
        signedIdentity: {matchPolicy: 'MatchRepository'},
      },
    },
  }
}

function yamlFile(name: string, documents: readonly object[], about: string): EmittedFile {
  const text = documents
    .map((document) => stringify(document, {lineWidth: 0, aliasDuplicateObjects: false}))
    .join('---\n')
  return {path: `manifests/${name}.yaml`, text: heading(about) + text}
}

function notes({access, fallback, admit}: EmitRequest): readonly string[] {
  return [
    'Apply with: oc apply -f manifests/.',
    access.login === undefined
      ? `Add a login for ${access.registry} to the global pull secret: it is the only credential that nodes send to a mirror.`
      : 'Merge pull-secret.json into the secret openshift-config/pull-secret; do not replace it.',
    'A ClusterImagePolicy, and the one that OpenShift has for its release image, needs the signatures in the mirror: do not push with --no-referrers.',
    ...(fallback === 'cut'
      ? [
          'NeverContactSource blocks the sources for pulls by tag and by digest: push every image before it is applied.',
        ]
      : []),
    ...(admit === 'sources' ? [`Check that the release image of the cluster is below ${PAYLOAD}.`] : []),
  ]
}
