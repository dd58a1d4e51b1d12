import {credentialsFromFiles, runCredentialHelper, usualCredentialFiles} from '@airgap-mirror/oci-client'
import {isMirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import {childEnvironment, environment, home} from '../settings/environment.js'

/** The place of the login that commands would use for a registry, if no flag named one; undefined if there is none. */
export async function placeOfLogin(registry: string, {signal}: CallOptions): Promise<string | undefined> {
  const {env, uid} = {env: environment(), uid: process.getuid?.()}
  const files = usualCredentialFiles({env, home: home(), uid, platform: process.platform})
  const {provider} = credentialsFromFiles(files, {
    runHelper: (name, server, call) => runCredentialHelper(name, server, {env: childEnvironment(), ...call}),
  })
  try {
    return (await provider({registry, refused: false, signal}))?.origin
  } catch (error) {
    // It only makes a warning: a command that uses the login tells what is wrong with its place.
    if (isMirrorError(error) && error.code !== 'CANCELLED') return undefined
    throw error
  }
}
