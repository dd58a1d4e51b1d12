/** Advice that needs no more than its kind. */
type PlainAdvice =
  // a registry
  | 'check-registry-running'
  | 'check-registry-address'
  | 'check-network-path'
  | 'check-host-name'
  | 'check-reference'
  | 'read-registry-log'
  | 'see-exchanges'
  | 'try-later'
  | 'slow-down'
  | 'free-registry-disk'
  | 'raise-quota'
  | 'share-upload-storage'
  | 'correct-forwarded-host'
  | 'create-repository'
  | 'shorten-repository'
  | 'use-another-tag'
  | 'allow-writes'
  | 'check-tag-policy'
  | 'raise-body-limit'
  | 'push-whole-index'
  | 'convert-manifest'
  | 'use-sha256'
  | 'allow-foreign-layers'
  | 'free-referrers-tag'
  | 'switch-on-deletion'
  | 'delete-by-registry'
  | 'check-tag-list'
  | 'push-again'
  | 'replace-damaged-blob'
  | 'find-changing-proxy'
  | 'switch-off-compression'
  | 'complete-at-registry'
  // credentials and rights
  | 'log-in'
  | 'check-credential'
  | 'use-https-realm'
  | 'use-password'
  | 'check-rights'
  | 'check-deletion-right'
  | 'correct-credential-file'
  // TLS
  | 'trust-authority'
  | 'trust-authority-if-right'
  | 'use-certificate-name'
  | 'check-clock'
  | 'use-plain-http'
  | 'use-https'
  | 'give-client-certificate'
  | 'check-client-certificate'
  | 'switch-on-tls'
  | 'use-pem'
  | 'convert-der'
  | 'convert-pkcs12'
  | 'reissue-certificate'
  | 'check-handshake'
  | 'use-plain-key'
  // proxies
  | 'correct-proxy-url'
  | 'check-proxy'
  | 'check-proxy-scheme'
  | 'add-proxy-login'
  | 'check-proxy-login'
  // an archive or a directory that is read
  | 'check-path'
  | 'copy-again'
  | 'copy-again-whole'
  | 'collect-volumes'
  | 'copy-volumes-again'
  | 'use-writing-version'
  | 'use-signature-key'
  | 'refuse-unsigned'
  | 'make-again'
  | 'complete-archive'
  | 'follow-links'
  | 'wait-until-written'
  | 'check-copied-whole'
  | 'join-parts'
  | 'give-archive'
  | 'give-images'
  | 'save-with-current-docker'
  | 'save-with-current-tool'
  | 'store-artifact-again'
  | 'open-inner-archives'
  | 'save-with-other-options'
  | 'unpack-if-trusted'
  | 'refuse-if-unknown'
  | 'use-larger-zstd-frames'
  | 'archive-without-sparse-files'
  | 'allow-scratch'
  | 'give-as-file'
  | 'use-another-scratch'
  // an archive or a directory that is written
  | 'choose-one-platform'
  | 'choose-platform-of-name'
  | 'use-oci-archive'
  | 'use-oci-archive-if-trusted'
  | 'free-disk'
  | 'use-writable-place'
  | 'use-new-file'
  | 'use-new-archive'
  | 'use-empty-directory'
  | 'use-another-directory'
  | 'write-zstd'
  | 'run-again'
  // the choice of images, their names and the state of runs
  | 'separate-names'
  | 'tag-image'
  | 'choose-platform'
  | 'choose-other-platform'
  | 'allow-sparse-index'
  | 'push-in-parts'
  | 'give-login-apart'
  | 'leave-out-scheme'
  | 'give-targets'
  | 'name-import-format'
  | 'force-tag'
  | 'allow-pruning'
  | 'free-state'
  | 'use-another-state'
  | 'wait-for-lock'
  | 'raise-timeout'

/** A compression that this program cannot unpack; the remedy differs for each. */
export type ForeignCompression =
  'bzip2' | 'lz4' | 'compress' | 'lzip' | 'zip' | 'xz' | 'zstd-dictionary' | 'zstd-long-window'

/** Remedy for an error, as data. Libraries know no command or flag: the program words the remedy. */
export type Advice =
  | {readonly [Kind in PlainAdvice]: {readonly kind: Kind}}[PlainAdvice]
  /** `host:port` that a proxy could not reach. */
  | {readonly kind: 'check-behind-proxy'; readonly target: string}
  /** `host:port` that a proxy does not let through. */
  | {readonly kind: 'allow-at-proxy'; readonly target: string}
  | {readonly kind: 'check-token-server'; readonly host: string}
  /** `authority`: the name of the one that signed the certificate. */
  | {readonly kind: 'trust-shown-authority'; readonly authority: string}
  /** `host` answered 401 after a redirect: no login is sent there. */
  | {readonly kind: 'login-not-redirected'; readonly host: string}
  /** `path` is a path under which the registry may be served. */
  | {readonly kind: 'check-is-registry'; readonly host: string; readonly path?: string}
  | {readonly kind: 'run-helper'; readonly program: string; readonly server: string}
  | {readonly kind: 'install-helper'; readonly program: string}
  | {readonly kind: 'list-helper'; readonly program: string}
  /** `image` is the digest of an image without a name, or the name that its archive gives it. */
  | {readonly kind: 'name-image'; readonly image: string}
  /** Several images have one name: the digest of one of them. */
  | {readonly kind: 'choose-digest'; readonly digest: string}
  /** `flag`: the choice that leaves no image. */
  | {readonly kind: 'check-choice'; readonly flag: 'include' | 'platform'}
  | {readonly kind: 'decompress'; readonly compression: ForeignCompression}
