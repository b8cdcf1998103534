// whenRemoved: calls back when an element leaves its page.

/**
 * Calls back once the element has been in the page and is not any more, or was collected as garbage. A move within the page is not a removal.
 *
 * @param ref - Held weakly, so that the observer does not keep alive an element that the page has dropped.
 * @param signal - Ends the observation.
 */
export function whenRemoved(ref: WeakRef<Element>, page: Document, signal: AbortSignal, removed: () => void): void {
  let connected = false
  // Observers are called after a move is complete.
  const observer = new MutationObserver(look)
  observer.observe(page, { childList: true, subtree: true })
  signal.addEventListener('abort', () => observer.disconnect())
  look()

  function look(): void {
    const element = ref.deref()
    if (!element || (connected && !element.isConnected)) removed()
    if (connected || !element?.isConnected) return
    connected = true
    // Observers of the page do not see into shadow trees.
    for (let root = element.getRootNode(); root !== page && root instanceof ShadowRoot; root = root.host.getRootNode())
      observer.observe(root, { childList: true, subtree: true })
  }
}
