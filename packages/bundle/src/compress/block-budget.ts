/** The blocks that one call may hold, plain or packed. */
export interface BlockAllowance {
  /** Waits for room for one more block; false if the allowance was closed meanwhile. */
  take(): Promise<boolean>
  give(): void
  /** Gives back all held blocks and takes no more. A late call of `give` does nothing. */
  close(): void
}

type Grant = (granted: boolean) => void

/**
 * Bounds the blocks in flight over all calls: one for each open call, and `shared` more in the order of requests. The
 * block of its own keeps a call from starving if others stall or wait for each other.
 */
export class BlockBudget {
  #free: number
  readonly #waiting: Grant[] = []

  constructor(shared: number) {
    this.#free = shared
  }

  open(): BlockAllowance {
    let held = 0
    let waiter: Grant | undefined
    const grant: Grant = (granted) => {
      const resolve = waiter
      waiter = undefined
      if (granted) held++
      resolve?.(granted)
    }
    const leaveQueue = (granted: boolean): void => {
      if (waiter === undefined) return
      this.#waiting.splice(this.#waiting.indexOf(grant), 1)
      grant(granted)
    }
    return {
      take: async () => {
        if (held > 0 && this.#free === 0) {
          return new Promise<boolean>((resolve) => {
            waiter = resolve
            this.#waiting.push(grant)
          })
        }
        if (held > 0) this.#free--
        held++
        return true
      },
      give: () => {
        if (held === 0) return
        held--
        if (held === 0) leaveQueue(true)
        else this.#release()
      },
      close: () => {
        leaveQueue(false)
        for (; held > 1; held--) this.#release()
        held = 0
      },
    }
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next(true)
  }
}
