import {credentialsFromFiles, runCredentialHelper, type CredentialProvider} from '@airgap-mirror/oci-client'
import {askManifestUrl} from '@airgap-mirror/oci-client/internal'
import {isMirrorError, messageOf} from '@airgap-mirror/oci-client/model'
import type {Explanation, Try} from '../../cluster/explanation.js'
import type {NodeFiles} from '../../cluster/files/node-files.js'
import type {ProbeAnswer} from '../../cluster/probe-answer.js'
import type {RegistrySettings} from '../../job/job.js'
import {childEnvironment} from '../../settings/environment.js'
import {connectionOptions} from '../../settings/registry-options.js'

export interface ProbeOptions {
  readonly files: NodeFiles
  /** Certificates and logins by flags, over those that the files name. */
  readonly settings: RegistrySettings
  readonly warn: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Asks every URL in turn as the node does: with the certificates, the verification and the login that its files name.
 * @throws {MirrorError} CERTIFICATE_INVALID, CREDENTIALS_INVALID, CANCELLED, TIMEOUT
 */
export async function probeTries(
  {tries}: Explanation,
  options: ProbeOptions,
): Promise<readonly ProbeAnswer[]> {
  const answers: ProbeAnswer[] = []
  for (const one of tries) answers.push(await probe(one, options))
  return answers
}

async function probe(one: Try, options: ProbeOptions): Promise<ProbeAnswer> {
  const {settings, signal} = options
  const {tls, proxy} = await connectionOptions(settings, 'target')
  const credentials = credentialsFor(one, settings)
  const connection = {
    side: 'target' as const,
    signal,
    tls: {
      ...tls,
      ca: [...(tls?.ca ?? []), ...certificatesOf(one, options)],
      insecureSkipVerify: one.skipVerify,
    },
    proxy,
    credentials,
  }
  try {
    return await askManifestUrl(one.url, connection)
  } catch (error) {
    if (!isMirrorError(error) || signal.aborted) throw error
    return {error: messageOf(error)}
  }
}

function certificatesOf({ca = ''}: Try, {files, warn}: ProbeOptions): readonly string[] {
  const paths = ca.split(', ').filter((path) => path !== '')
  return paths.flatMap((path) => {
    const text = files.text(path)
    if (text === undefined) warn(`${path} is not among the files, so it is not trusted here`)
    return text ?? []
  })
}

/** A Docker config file by flag, then the login that the files of the node name; nothing else of this machine. */
function credentialsFor({login}: Try, {dockerConfig}: RegistrySettings): CredentialProvider | undefined {
  if (dockerConfig !== undefined) {
    const file = {path: dockerConfig, kind: 'docker' as const, named: true}
    const {provider} = credentialsFromFiles([file], {
      runHelper: (name, server, {signal}) =>
        runCredentialHelper(name, server, {signal, env: childEnvironment()}),
    })
    return async (request) => (await provider(request)) ?? login?.()
  }
  return login === undefined ? undefined : async () => login()
}
