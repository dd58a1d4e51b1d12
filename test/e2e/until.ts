/** Waits until something has come true. @throws after as long as a test may hang */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 240_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it never came true: ${isSo.toString()}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 20)
    })
  }
}
