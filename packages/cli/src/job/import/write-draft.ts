import type {Path} from '../problems.js'
import {printable} from '../../text/printable.js'
import type {Draft} from './draft.js'

/** The text of a job file, with every remark as a comment where it belongs. */
export async function writeDraft({file, remarks}: Draft, header: readonly string[]): Promise<string> {
  const {Document, isCollection, isMap, isNode, isPair, isScalar} = await import('yaml')
  const document = new Document(file)
  /** The node whose comment stands above the line of a path, or of the nearest one around it that is there. */
  const nodeAt = (path: Path): {commentBefore?: string | null} | undefined => {
    for (let length = path.length; length > 0; length--) {
      const key = path[length - 1]
      const parent: unknown =
        length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
      if (isMap(parent)) {
        const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
        if (pair !== undefined && isNode(pair.key)) return pair.key
      } else if (isCollection(parent)) {
        const item: unknown = parent.get(key, true)
        if (isNode(item)) return item
      }
    }
    return document
  }
  for (const {path, text} of remarks) {
    const node = nodeAt(path)
    if (node === undefined) continue
    const line = ` ${printable(text.replaceAll(/[\r\n\u2028\u2029]+/g, ' '))}`
    node.commentBefore = node.commentBefore ? `${node.commentBefore}\n${line}` : line
  }
  const body = document.toString({lineWidth: 0, singleQuote: true, flowCollectionPadding: false})
  return `${header.map((line) => `# ${line}\n`).join('')}\n${body}`
}
