/** RFC 7617 with UTF-8. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}

export function bearerHeader(token: string): string {
  return `Bearer ${token}`
}

/** Whether a token may stand in a header at all: an HTTP library would name the whole value in its complaint. */
export function isHeaderToken(token: string): boolean {
  return /^[\u0021-\u007e]+$/.test(token)
}
