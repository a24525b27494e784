/** What is wrong with xz data, in the words of a half sentence. */
export class XzError extends Error {
  override readonly name = "XzError";
}
