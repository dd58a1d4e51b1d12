import type {ErrorCode, MirrorError} from '@airgap-mirror/oci-client/model'

/** What to do about an error: its own hint, else what helps with most errors of its code. */
export function hintOf(error: MirrorError): string | undefined {
  return error.hint ?? USUAL[error.code]
}

const DAMAGED = 'the bundle is damaged or was made wrongly: compare its checksum, fetch or make it again'

const USUAL: Readonly<Partial<Record<ErrorCode, string>>> = {
  SOURCE_UNREADABLE: 'check the path, and the right to read it',
  SOURCE_TRUNCATED: DAMAGED,
  SOURCE_CORRUPT: DAMAGED,
  DIGEST_MISMATCH: DAMAGED,
  MANIFEST_INVALID: DAMAGED,
  BLOB_MISSING: 'the bundle is incomplete: make it again',
  SOURCE_UNSUPPORTED: 'make the bundle again with another tool or other options',
  LIMIT_EXCEEDED: 'no usual tool makes such input: is it damaged, or made to do harm?',
  BLOB_UNKNOWN:
    'the registry wants all content of a manifest first: of an index that the bundle holds in part, --sparse-index auto pushes what is there',
  MANIFEST_REJECTED: 'the registry does not take this kind of manifest',
  UNREACHABLE: 'is the registry running, and can this machine reach it?',
  TIMEOUT: 'is the registry overloaded, or does a firewall drop what is sent to it? Try again later',
  REGISTRY_FAILED: "look into the registry's log",
  PROTOCOL: 'is there a registry at that address? --verbose shows every exchange with it',
}
