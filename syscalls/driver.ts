/** The seam below the typed calls: how a raw system call is made in this runtime. */

/**
 * What a register can carry: an integer, or a buffer that is passed by its address. null is the
 * null pointer. An empty buffer has a valid address too.
 */
export type Argument = number | bigint | Uint8Array | null;

/** One way of making raw system calls. */
export interface Driver {
  /** For messages: "bun:ffi". */
  readonly name: string;
  /**
   * Makes system call `nr` with up to six arguments and returns the kernel's own result: a negative
   * errno on failure. Results above 2^53, which none of the calls in use has, would lose precision.
   */
  call(nr: number, ...args: Argument[]): number;
  /**
   * The same without blocking the event loop, where the runtime can. The buffers are kept alive and in
   * place until the promise has settled, which it does with the kernel's result: it rejects only when
   * the means to wait can't be had. On a runtime that has none (Node.js) the call is made at once,
   * blocking, and a settled promise is returned.
   */
  callSlow(nr: number, ...args: Argument[]): Promise<number>;
  /**
   * The address of a buffer's first byte, for structs that hold pointers. It stays valid as long as
   * the caller keeps the buffer.
   */
  address(buffer: Uint8Array): number;
}
