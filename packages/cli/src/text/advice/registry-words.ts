import {given, onlyReads, type Words} from './words.js'

/** Advice on registries that lack content, refuse requests or break the protocol. */
export const registryWords = {
  'check-registry-running': 'Check that the registry is running, and that this is its port.',
  'check-registry-address': 'Check the host, the port and the namespace, and that a registry answers there.',
  'check-is-registry': (_setting, {host, path}) =>
    `Check that ${host} is a registry, and that no login page or proxy answers in its place${path === undefined ? '' : `; it has to be at /v2/ of the host, not under the path ${path}`}.`,
  'check-network-path': 'Check the address, the port and any firewall on the way.',
  'check-host-name': ({sided}) =>
    `Check the spelling and the name server; for a name that only a proxy can resolve set HTTPS_PROXY${given(sided('proxy'), (proxy) => ` or give ${proxy}`)}.`,
  'check-reference': 'Check the spelling of the name, and whether the tag was removed at the source.',
  'read-registry-log': "Look into the registry's log.",
  'see-exchanges': ({flag}) =>
    `Check that a registry answers at that address${given(flag('verbose'), (verbose) => `; ${verbose} shows every exchange with it`)}.`,
  'try-later':
    'Try again later, and check that the registry is not overloaded and that no firewall drops packets.',
  'slow-down': ({sided}) =>
    `Try again later${given(sided('concurrency'), (concurrency) => `, or lower ${concurrency}`)}.`,
  'free-registry-disk': "Make room on the registry's disk, then run this again.",
  'raise-quota': "Raise the project's quota at the registry, or remove what it no longer needs.",
  'share-upload-storage':
    'Give all registries behind that address the same storage and the same secret (http.secret): they forget uploads.',
  'correct-forwarded-host':
    'Let the proxy in front of the registry pass on X-Forwarded-Host and X-Forwarded-Proto, or set http.relativeurls: true at the registry.',
  'create-repository': 'Create the project or repository at the registry first, or choose another namespace.',
  'shorten-repository': ({flag}) =>
    `Choose a name with fewer path components${given(flag('max-depth'), (depth) => `, or join them with ${depth}`)}: some registries take only a few.`,
  'use-another-tag': 'Use another tag: this one is immutable at the registry.',
  'allow-writes': ({command}) =>
    onlyReads(command)
      ? 'Check that no proxy in front of the registry refuses the method.'
      : 'Check that the registry is not read-only, and that no proxy in front of it refuses the method.',
  'check-tag-policy':
    'Check whether the tag is immutable at the registry, or a policy or a quota forbids the push.',
  'raise-body-limit': ({sided}) =>
    `Raise the body limit of the proxy in front of the registry (nginx: client_max_body_size 0)${given(sided('chunk-size'), (chunk) => `, or set ${chunk} below it`)}.`,
  'push-whole-index': ({flag}) =>
    given(
      flag('sparse-index'),
      (sparse) => `Use ${sparse} auto to push what is there of an incomplete index.`,
    ) || 'Push what the manifest refers to first.',
  'convert-manifest': 'Convert the image to a kind of manifest that this registry takes.',
  'use-sha256':
    'Use a registry that takes manifests by sha512 digests, which distribution 2 does not, or make the image again with sha256 digests.',
  'allow-foreign-layers':
    'Allow the URLs of its foreign layers at the registry: distribution takes none unless validation.manifests.urls.allow lists them.',
  'free-referrers-tag': ({flag}) =>
    `Remove that tag${given(flag('no-referrers'), (without) => `, or leave referrers out with ${without}`)}.`,
  'switch-on-deletion':
    'Allow deletion at the registry: distribution needs storage.delete.enabled: true, and must not be read-only.',
  'delete-by-registry':
    "Delete the tag by the registry's own means: it deletes only whole manifests, which other tags may use.",
  'check-tag-list':
    'Check whether a cache in front of the registry is stale: without a full list of tags nothing is deleted.',
  'find-changing-proxy': 'Check the registry, and look for something on the way that changes the bytes.',
  'switch-off-compression':
    'Switch compression off at the proxy: it packs content though it was asked not to.',
  'push-again':
    'Push the image again with "mirror push --recheck", or sync it with "mirror sync --force", then verify again.',
  'replace-damaged-blob':
    'Delete the blob from the storage of the registry, or its images and then the garbage, then push again: a push alone may not replace it.',
  'complete-at-registry':
    'Push the image to its registry again, or take it from another one: it is incomplete there.',
} satisfies Partial<Words>
