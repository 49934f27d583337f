// Something done for thousands of clients, without holding up the packets that come meanwhile.
import { setImmediate as nextTurn } from 'node:timers/promises'

/** After so long the process turns to its other work. */
const turnMs = 2

/** Does it for each, until it is told to stop (false). Items that are added to a set meanwhile are visited, too. */
export async function inTurns<Item>(
  items: Iterable<Item>,
  act: (item: Item) => boolean,
): Promise<void> {
  let began = performance.now()
  for (const item of items) {
    if (!act(item)) return
    if (performance.now() - began < turnMs) continue
    await nextTurn()
    began = performance.now()
  }
}
