/** RFC 7617 with UTF-8. */
export const basicHeader = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`

export const bearerHeader = (token: string): string => `Bearer ${token}`

/** Whether a token may stand in a header at all: an HTTP library would name the whole value in its complaint. */
export const isHeaderToken = (token: string): boolean => /^[\u0021-\u007e]+$/.test(token)
