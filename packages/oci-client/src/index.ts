export type {Credential, CredentialProvider, CredentialRequest} from './auth/credential.js'
export type {Exchange, ProxyOptions, RegistryOptions, TlsOptions} from './options.js'
