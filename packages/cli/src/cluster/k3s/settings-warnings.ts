import type {HostConfig} from './host-configs.js'
import type {RegistriesYaml} from './registries-yaml.js'
import type {ServiceSettings} from './service-settings.js'

interface WarningOptions {
  readonly registries: RegistriesYaml
  readonly hosts: ReadonlyMap<string, HostConfig>
  readonly service: ServiceSettings
}

/** Settings that do less than they seem to do for one registry. */
export function settingsWarnings(registry: string, options: WarningOptions): readonly string[] {
  return [
    ...wildcardWarnings(options),
    ...hubWarnings(options),
    ...authWarnings(options),
    ...emptyEntryWarnings(registry, options),
    ...defaultWarnings(registry, options),
  ]
}

function wildcardWarnings({
  registries: {configs, mirrors},
  service: {registriesPath},
}: WarningOptions): readonly string[] {
  const {auth, tls, line} = configs.get('*') ?? {}
  const at = `configs."*" (${registriesPath}:${line ?? 0})`
  const reach = mirrors.has('*') ? 'no endpoint' : 'no endpoint of a mirror'
  return [
    ...(tls === undefined
      ? []
      : [
          `the tls of ${at} is ignored because it reaches ${reach}: write it under the host and port of each endpoint`,
        ]),
    ...(auth === undefined
      ? []
      : [
          `the auth of ${at} is ignored because credentials are looked up by the exact host and port: no credential is sent`,
        ]),
  ]
}

function hubWarnings({
  registries: {configs, mirrors},
  service: {registriesPath},
}: WarningOptions): readonly string[] {
  const hub = configs.get('docker.io')
  return [
    ...['index.docker.io', 'registry-1.docker.io'].flatMap((name) => {
      const mirror = mirrors.get(name)
      return mirror === undefined
        ? []
        : [
            `mirrors."${name}" (${registriesPath}:${mirror.line}) is ignored because image names say docker.io; the public registry is asked`,
          ]
    }),
    ...(hub?.auth === undefined
      ? []
      : [
          `the auth of configs."docker.io" (${registriesPath}:${hub.line}) is not sent to Docker Hub because the host that is asked is registry-1.docker.io: use that key`,
        ]),
  ]
}

function authWarnings({registries: {configs}, service: {registriesPath}}: WarningOptions): readonly string[] {
  return [...configs].flatMap(([key, {auth}]) =>
    auth?.kind === 'invalid'
      ? [
          `the auth of configs."${key}" (${registriesPath}:${auth.line}) is ignored because it has neither username, nor auth, nor identity_token`,
        ]
      : [],
  )
}

function emptyEntryWarnings(
  registry: string,
  {registries: {mirrors}, hosts, service: {registriesPath}}: WarningOptions,
): readonly string[] {
  const mirror = mirrors.get(registry)
  if (mirror === undefined || hosts.has(registry)) return []
  const instead = hosts.has('*') ? 'the entry "*" counts instead' : 'the public registry is asked'
  return [
    `mirrors."${registry}" (${registriesPath}:${mirror.line}) is ignored because it has no endpoint; ${instead}`,
  ]
}

function defaultWarnings(registry: string, {registries, hosts, service}: WarningOptions): readonly string[] {
  if (service.cutsDefault === undefined) return []
  const flag = `disable-default-registry-endpoint (${service.cutsDefault})`
  const config = registries.configs.get(registry)
  const config0 = hosts.get(registry) ?? hosts.get('*')
  if (config0 === undefined)
    return [
      `${flag} does nothing for ${registry} because mirrors has no entry with an endpoint for it; the public registry is asked`,
    ]
  if (config0.fallback === undefined) return []
  return config === undefined
    ? [`${flag} does nothing here; the default endpoint is asked`]
    : [
        `${flag} does nothing for ${registry} because configs has an entry of the same key (${service.registriesPath}:${config.line}); the public registry is asked`,
      ]
}
