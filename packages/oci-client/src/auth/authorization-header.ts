/** Returns the value of an Authorization header by RFC 7617, in UTF-8. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

export function bearerHeader(token: string): string {
  return `Bearer ${token}`
}

/** Returns true if a token may be sent in a header. An HTTP library would quote the whole value in its error. */
export function isHeaderToken(token: string): boolean {
  return /^[\u0021-\u007e]+$/.test(token)
}
