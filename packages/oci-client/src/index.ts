export {credentialsFromFiles, type FileCredentials} from './auth/credential-files.js'
export {eraseWithHelper, runCredentialHelper, storeWithHelper} from './auth/credential-helper.js'
export {usualCredentialFiles, type CredentialFile} from './auth/credential-places.js'
export {loginKey, withLogin, withoutLogin, type KeyStyle} from './auth/edit-docker-config.js'
export {helperFor, parseDockerConfig} from './auth/docker-config.js'
export {readCredentialFile} from './auth/read-credential-file.js'
export type {Credential, CredentialProvider, CredentialRequest} from './auth/credential.js'
export {authRequired} from './auth/refusal.js'
export {staticCredentials} from './auth/static-credentials.js'
export {askManifestUrl} from './client/ask-manifest-url.js'
export type {RegistryOptions, Retry} from './client/options.js'
export type {Exchange, ProxyOptions, TlsOptions} from './http/options.js'
export {certificatesIn, readIdentity} from './http/tls.js'
export type {HostKnowledge} from './client/host-knowledge.js'
export {openExaminer, type Examiner} from './registry/examine.js'
export type {Ability} from './registry/upload/probe-upload.js'
export {openRegistry, type Registry} from './registry/open-registry.js'
export {
  openRegistrySource,
  type RegistrySource,
  type RegistrySourceOptions,
} from './source/open-registry-source.js'
export {shareBlob} from './source/share-blob.js'
