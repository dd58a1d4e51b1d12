import type {HostKnowledge} from '@airgap-mirror/oci-client'

/** What is true of the host tomorrow, too: refused mounts depend on the credential and on the repositories. */
export function lastingKnowledge({mountsRefused: _ofThisRun, ...knowledge}: HostKnowledge): object {
  return knowledge
}
