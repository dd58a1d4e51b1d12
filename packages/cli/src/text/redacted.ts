const URL_IN_TEXT = /https?:\/\/[^\s"'<>]{1,8192}/gi

/**
 * Takes queries and user names with passwords out of every URL in a text. The last net only: no error should carry them,
 * but messages of libraries come along as causes.
 */
export function redacted(text: string): string {
  return text.replace(URL_IN_TEXT, withoutSecrets)
}

function withoutSecrets(url: string): string {
  const start = url.indexOf('//') + 2
  const query = url.indexOf('?')
  const address = query < 0 ? url : url.slice(0, query)
  const slash = address.indexOf('/', start)
  const authority = address.slice(start, slash < 0 ? undefined : slash)
  const path = slash < 0 ? '' : address.slice(slash)
  const at = authority.lastIndexOf('@')
  const host = at < 0 ? authority : `…@${authority.slice(at + 1)}`
  return `${url.slice(0, start)}${host}${path}${query < 0 ? '' : '?…'}`
}
