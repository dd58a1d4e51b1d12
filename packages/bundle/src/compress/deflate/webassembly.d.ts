/** What is used of WebAssembly, which Node has but its types leave to those of browsers. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string
  }
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>
  }
  const Module: new (code: Uint8Array) => Module
  const Instance: new (module: Module) => Instance
}
