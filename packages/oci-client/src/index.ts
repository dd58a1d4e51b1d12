export {credentialsFromFiles, type FileCredentials} from './auth/credential-files.js'
export {runCredentialHelper, type HelperOptions} from './auth/credential-helper.js'
export {usualCredentialFiles, type CredentialFile, type Surroundings} from './auth/credential-places.js'
export type {Credential, CredentialProvider, CredentialRequest} from './auth/credential.js'
export {staticCredentials} from './auth/static-credentials.js'
export type {HostKnowledge} from './client/host-knowledge.js'
export type {JournalledUpload, RegistryOptions, Retry, UploadJournal} from './client/options.js'
export type {Exchange, ProxyOptions, TlsOptions, TransportOptions, TransportTimeouts} from './http/options.js'
export {openRegistry, type Registry} from './registry/open-registry.js'
export {openRegistrySource} from './source/open-registry-source.js'
export type {RegistrySource, RegistrySourceOptions} from './source/registry-source.js'
export {isPending, readAll, verified} from './model/blob-source.js'
export type {BlobSource, Bytes, Content, OpenOptions, PendingLayer} from './model/blob-source.js'
export type {Descriptor, Platform} from './model/descriptor.js'
export {digestOf, isDigest, type Digest} from './model/digest.js'
export {isDamaged, isMirrorError, MirrorError, type ErrorCode, type Side} from './model/error.js'
export {childrenOf, parseManifest} from './model/manifest.js'
export type {ImageManifest, IndexManifest, Manifest} from './model/manifest.js'
export {isForeignLayerType, mediaTypes} from './model/media-types.js'
export type {
  BlobOutcome,
  CallOptions,
  ImageRoot,
  ImageSink,
  ImageSource,
  PendingImage,
  HasBlobOptions,
  PutBlobOptions,
  PutManifestOptions,
  SourceImage,
} from './model/ports.js'
export {formatReference, parseReference, type Place, type Reference} from './model/reference.js'
