export type {Credential, CredentialProvider, CredentialRequest} from './auth/credential.js'
export type {Exchange, ProxyOptions, RegistryOptions, TlsOptions} from './options.js'
export type {HostKnowledge} from './registry/host-knowledge.js'
export {openRegistry, type Registry} from './registry/open-registry.js'
