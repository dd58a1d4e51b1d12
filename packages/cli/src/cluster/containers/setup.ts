import type {FoundLogin} from './auth-files.js'
import type {HostCertificates} from './host-certificates.js'
import type {ImageName} from './image-name.js'
import type {Policy} from './policy.js'
import type {Registries} from './registries.js'

/** Everything of a node that decides how containers/image pulls one name. */
export interface Setup {
  readonly registries: Registries
  /** Absent if there is no policy.json: taken as accepting everything. */
  readonly policy: {readonly policy: Policy; readonly path: string} | undefined
  /** The certificates for `host[:port]`. */
  certificates(host: string): HostCertificates
  /** The login for a name at its place, `logical` being the name in the pod. */
  login(name: ImageName, logical: ImageName): FoundLogin
}
