/**
 * Fails the run of the tests on Node's warning of too many listeners: something adds a listener for each chunk or request, and
 * removes none.
 */
function failOnLeak({name, message, stack}: Error): void {
  if (name !== 'MaxListenersExceededWarning') return
  // The warning itself has the emitter, of which vitest would print thousands of lines.
  throw Object.assign(new Error(message), {stack})
}

// Files of one worker share its process.
if (!process.listeners('warning').some(({name}) => name === failOnLeak.name))
  process.on('warning', failOnLeak)
