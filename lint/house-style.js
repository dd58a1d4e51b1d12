/**
 * Rules of CONTRIBUTING.md that no published linter has.
 * Top-level functions are declarations, so that a file reads from its main export down.
 * Comments name who does what, so they never begin with a word that hides it.
 */
const VAGUE_OPENING = /^[\s*]*(?:What|Who|Whoever|Whether|Nobody|Somebody|Whose|How|Where|Of)\b/

const ABSENT = {
  spelling: 'An optional member needs no `| undefined`.',
  branch:
    'Write the member with its value or undefined, or call `defined`, instead of a spread that depends.',
}

const functionDeclarations = {
  create(context) {
    const check = (statement) => {
      if (statement?.type !== 'VariableDeclaration') return
      for (const {id, init} of statement.declarations) {
        if (init?.type !== 'ArrowFunctionExpression' && init?.type !== 'FunctionExpression') continue
        if (id.typeAnnotation) continue
        context.report({node: id, message: 'Declare a top-level function with `function`.'})
      }
    }
    return {
      Program({body}) {
        for (const statement of body)
          check(statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement)
      },
    }
  },
}

const plainComments = {
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (!VAGUE_OPENING.test(comment.value)) continue
          context.report({loc: comment.loc, message: 'Begin the comment with the actor or the thing.'})
        }
      },
    }
  },
}

/** The one spelling of an absent value: `name?: T` in types, `{name}` where it is passed. */
const absentValues = {
  create(context) {
    const check = (node) => {
      const type = node.typeAnnotation?.typeAnnotation
      if (!node.optional || type?.type !== 'TSUnionType') return
      if (type.types.some((part) => part.type === 'TSUndefinedKeyword'))
        context.report({node, message: ABSENT.spelling})
    }
    const isEmpty = (node) => node.type === 'ObjectExpression' && node.properties.length === 0
    return {
      TSPropertySignature: check,
      PropertyDefinition: check,
      Identifier: check,
      SpreadElement(node) {
        const {type, consequent, alternate} = node.argument
        if (type === 'ConditionalExpression' && (isEmpty(consequent) || isEmpty(alternate)))
          context.report({node, message: ABSENT.branch})
      },
    }
  },
}

export default {
  meta: {name: 'house-style'},
  rules: {
    'function-declarations': functionDeclarations,
    'plain-comments': plainComments,
    'absent-values': absentValues,
  },
}
