import type {Answer, Question, Version} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {CONFIG_TOML, readConfigToml} from './config-toml.js'
import type {CriSettings} from './cri-settings.js'
import {hostsOfRegistry, type HostList} from './host-directory.js'
import {legacyHosts} from './legacy-mirrors.js'
import {NO_TLS, ownHost} from './registry-host.js'
import {requestsOver, type NodeCredential} from './requests.js'

const CERTS_D = '/etc/containerd/certs.d'
const TWO_DIRECTORIES = '/etc/containerd/certs.d:/etc/docker/certs.d'

/** The version that is assumed if none is given: the newest whose behaviour was seen by running it. */
const ASSUMED: Version = {major: 2, minor: 1}

/** Images that the kubelet pulls through the CRI plugin of containerd. */
export function explainContainerd(question: Question, files: NodeFiles): Answer {
  const version = question.version ?? ASSUMED
  const config = readConfigToml(files, version)
  const shared = {assumedVersion: question.version === undefined ? '2.1' : undefined}
  if (config === undefined) {
    const hosts = hostsOfRegistry(question.reference.registry, options([CERTS_D], files, version))
    return {
      ...answer(hosts, {question, credentialFor: () => undefined, assumed: [withoutConfig(version)]}),
      ...shared,
    }
  }
  if (config.message !== undefined) return {...broken(config.message, config.warnings), ...shared}
  const {settings} = config
  if ((settings.configPath?.value ?? '') !== '' && settings.mirrors.size > 0) {
    const message = `${version.major < 2 ? 'invalid plugin config' : 'invalid cri image config'}: \`mirrors\` cannot be set when \`config_path\` is provided`
    return {...broken(message, config.warnings), ...shared}
  }
  if (version.major < 2 && (settings.configPath?.value ?? '') !== '' && settings.tls.size > 0)
    return {
      ...broken(
        'invalid plugin config: `configs.tls` cannot be set when `config_path` is provided',
        config.warnings,
      ),
      ...shared,
    }
  const {hosts, assumed} = hostsBySettings(question, {settings, files, version})
  const list = {...hosts, warnings: [...config.warnings, ...hosts.warnings]}
  return {
    ...answer(list, {question, credentialFor: (host) => credential(settings, host), assumed}),
    ...shared,
  }
}

/** `ctr images pull`, which reads no file unless it is told to. */
export function explainCtr(question: Question, files: NodeFiles): Answer {
  const {registry} = question.reference
  const hosts = [
    ownHost(registry, {
      ...NO_TLS,
      source: 'ctr without --hosts-dir reads no file: the registry of the image',
    }),
  ]
  const present = [CONFIG_TOML, CERTS_D].filter(
    (path) => files.text(path) !== undefined || files.isDirectory(path),
  )
  const warnings = present.map(
    (path) =>
      `${path} is ignored because ctr reads ${path === CERTS_D ? 'it only with --hosts-dir' : 'no config.toml'}; the registry of the image is asked`,
  )
  return answer(
    {hosts, assumed: [], warnings},
    {question, credentialFor: () => undefined, assumed: ['ctr runs without --hosts-dir']},
  )
}

function options(roots: readonly string[], files: NodeFiles, version: Version) {
  return {roots, files, knowsReferrers: isAtLeast(version, 2, 2), needsHostTable: !isAtLeast(version, 2, 0)}
}

function isAtLeast(version: Version, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor)
}

function withoutConfig(version: Version): string {
  const otherwise = isAtLeast(version, 2, 2)
    ? 'its default is two directories, which the transfer service takes for one'
    : 'without a config_path it reads no directory'
  return `there is no ${CONFIG_TOML} in the files: ${CERTS_D} is read, as with config_path = "${CERTS_D}" or with ctr --hosts-dir; containerd ${version.major}.${version.minor} needs that line, since ${otherwise}`
}

function hostsBySettings(
  question: Question,
  {
    settings,
    files,
    version,
  }: {readonly settings: CriSettings; readonly files: NodeFiles; readonly version: Version},
): {readonly hosts: HostList; readonly assumed: readonly string[]} {
  const {registry} = question.reference
  const reason = localReason(settings, version)
  const assumed = [
    isAtLeast(version, 2, 1)
      ? `images are pulled ${reason === undefined ? 'with the transfer service, the default since containerd 2.1' : `without the transfer service, because of ${reason}`}`
      : '',
  ].filter((text) => text !== '')
  const isDefault =
    (settings.configPath?.value ?? '') === '' && settings.mirrors.size === 0 && isAtLeast(version, 2, 2)
  const configPath = isDefault ? TWO_DIRECTORIES : (settings.configPath?.value ?? '')
  if (configPath === '')
    return {hosts: withoutDirectories(question, {settings, files, version, reason}), assumed}
  const isLocal = reason !== undefined || !isAtLeast(version, 2, 1)
  const parts = configPath.split(':').filter((part) => part !== '')
  const roots = isLocal ? parts : [configPath]
  const hosts = hostsOfRegistry(registry, options(roots, files, version))
  const isLost = !isLocal && parts.length > 1
  const written = settings.configPath === undefined ? 'the default' : settings.configPath.at
  const warnings = isLost
    ? [
        `config_path "${configPath}" (${written}) is taken as one directory by the transfer service, so that no hosts.toml is read: give one directory; the public registry is asked`,
      ]
    : roots
        .filter((root) => !files.isDirectory(root) && !isDefault)
        .map((root) => `the directory ${root} of config_path (${written}) is not among the files`)
  return {hosts: {...hosts, warnings: [...warnings, ...hosts.warnings]}, assumed}
}

/** The setting that makes containerd 2.1 and later pull without the transfer service; earlier versions never use it. */
function localReason({localPull, mirrors, hasConfigs}: CriSettings, version: Version): string | undefined {
  if (!isAtLeast(version, 2, 1)) return undefined
  if (localPull !== undefined) return `${localPull.value} (${localPull.at})`
  if (mirrors.size > 0) return 'registry.mirrors'
  return hasConfigs ? 'registry.configs' : undefined
}

function withoutDirectories(
  {reference: {registry}}: Question,
  {
    settings,
    files,
    version,
    reason,
  }: {
    readonly settings: CriSettings
    readonly files: NodeFiles
    readonly version: Version
    readonly reason: string | undefined
  },
): HostList {
  const unread = files.isDirectory(CERTS_D) && settings.mirrors.size === 0
  const warnings = unread
    ? [
        `${CERTS_D} is ignored because ${CONFIG_TOML} has no config_path that counts, and containerd ${version.major}.${version.minor} has no default; the public registry is asked`,
      ]
    : []
  if (isAtLeast(version, 2, 1) && reason === undefined) {
    const source = 'no config_path and no registry.mirrors: the registry of the image'
    return {hosts: [ownHost(registry, {...NO_TLS, source})], assumed: [], warnings}
  }
  const legacy = legacyHosts(registry, {settings, version})
  return {...legacy, assumed: [], warnings: [...warnings, ...legacy.warnings]}
}

function credential({auths}: CriSettings, host: string): NodeCredential | undefined {
  const auth = auths.get(host)
  return auth === undefined || auth.kind === 'invalid'
    ? undefined
    : {kind: auth.kind, source: auth.at, login: auth.login}
}

function answer(
  list: HostList,
  {
    question,
    credentialFor,
    assumed,
  }: {
    readonly question: Question
    readonly credentialFor: (host: string) => NodeCredential | undefined
    readonly assumed: readonly string[]
  },
): Answer {
  const all = [...assumed, ...list.assumed]
  if (list.message !== undefined)
    return {
      assumed: all,
      outcome: 'error',
      message: list.message,
      tries: [],
      warnings: [...list.warnings, `no image of ${question.reference.registry} can be pulled`],
    }
  const {warnings, ...requests} = requestsOver(list.hosts, {reference: question.reference, credentialFor})
  return {
    ...requests,
    assumed: [...all, ...travelling(requests.tries.length)],
    warnings: [...list.warnings, ...warnings],
  }
}

/** Facts about containerd that people do not expect if there is more than one host. */
function travelling(tries: number): readonly string[] {
  return tries < 2
    ? []
    : [
        'the pod has no pull secret: one would be sent to any of these hosts that asks for a credential',
        'every layer begins again at the first host: one that is missing there comes from the next',
      ]
}

function broken(message: string, warnings: readonly string[]): Answer {
  return {
    assumed: [],
    outcome: 'error',
    message,
    tries: [],
    warnings: [
      ...warnings,
      'the CRI plugin of containerd does not start: the kubelet can pull no image on this node',
    ],
  }
}
