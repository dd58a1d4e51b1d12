import {image, layoutOf} from './raw-image.js'
import {base256, member, members} from './raw-tar.js'

/** The good layout, and after it a member of so many zeros, whose header is all that is written here. */
export function beforeZeros(bytes: number): Buffer {
  return Buffer.concat([
    members(layoutOf(image('good'), 'app:v1')),
    member({path: 'zeros', size: base256(BigInt(bytes))}),
  ])
}
