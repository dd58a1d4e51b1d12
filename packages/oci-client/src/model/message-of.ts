import {codeOf} from './error-code.js'

/** The meaning of codes of the file system, for the end of a sentence. The transport words the codes of the network. */
const FILE_TROUBLE: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EBUSY: 'it is in use',
  EDQUOT: 'the quota on the disk is used up',
  EEXIST: 'it is there already',
  EFBIG: 'the file would be too large',
  EIO: 'the disk reports an error (EIO)',
  EISDIR: 'it is a directory',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many files are open on this machine',
  ENOENT: 'there is no such file or directory',
  ENOSPC: 'there is no space left on the disk',
  ENOTDIR: 'a part of the path is not a directory',
  ENOTEMPTY: 'the directory is not empty',
  EPIPE: 'its reader has ended',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not text in UTF-8',
  ETXTBSY: 'it is a program that is running',
  EXDEV: 'the two places are on different file systems',
}

/** `…/ssl/statem/statem_clnt.c:1889:`, with the number of the thread and of the error before the reason. */
const OPENSSL = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:(.+?):(?:\.\.\/|\/)?[^:]*\.c:\d+:/

/**
 * Returns the message of an Error, and anything else that was thrown as a string. Errors of the file system are worded
 * for people, without the name of a system call, and errors of OpenSSL without lines of its source.
 */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const code = codeOf(thrown)
  if (code !== undefined && !isOfStart(thrown) && Object.hasOwn(FILE_TROUBLE, code)) {
    return FILE_TROUBLE[code] ?? thrown.message
  }
  return OPENSSL.exec(thrown.message)?.[1] ?? thrown.message
}

/** A program that cannot be started is no file that cannot be read. */
function isOfStart(error: Error): boolean {
  return 'syscall' in error && typeof error.syscall === 'string' && error.syscall.startsWith('spawn')
}
