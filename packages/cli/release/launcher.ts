/**
 * Starts the program with the runtime beside it. Uses the shell alone, except that it needs readlink if it was called
 * through a link.
 */
export const LAUNCHER = `#!/bin/sh
self=$0
case $self in
  */*) ;;
  *) self=./$self ;;
esac
while [ -h "$self" ]; do
  link=$(readlink "$self") || {
    echo "mirror: $self is a link, and there is no readlink to follow it: call bin/mirror by its own path" >&2
    exit 127
  }
  case $link in
    /*) self=$link ;;
    *) self=\${self%/*}/$link ;;
  esac
done
root=\${self%/*}/..
exec "$root/lib/node/bin/node" "$root/lib/mirror/bin/run.js" "$@"
`
