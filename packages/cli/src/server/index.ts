export {carryOut} from './carry-out.js'
export type {BlobWriter} from './blob-writer.js'
export {parseContents, type Contents} from './contents.js'
export {readManifest} from './manifests.js'
export {jsonReply, Refusal} from './refusal.js'
export type {
  Exchange,
  IncomingManifest,
  ReadableRepository,
  Registry,
  StoredBlob,
  StoredManifest,
  WritableRepository,
} from './registry.js'
export {sizeOf, withHeaders, type ReadOptions, type Reply, type ReplyStream} from './reply.js'
export {checkName, routeOf, type RequestKind, type Route, type Target} from './route.js'
export {UploadSession} from './upload-session.js'
export {
  algorithmFor,
  beginSession,
  commit,
  created,
  dropSession,
  inSession,
  startUpload,
  takeChunk,
  uploadStatus,
} from './uploads.js'
