/// A binary heap, the smallest first.
struct MinimumHeap<Item: Comparable> {
  private var items: [Item] = []

  mutating func insert(_ item: Item) {
    var place = items.count
    items.append(item)
    while place > 0, items[(place - 1) / 2] > item {
      items[place] = items[(place - 1) / 2]
      place = (place - 1) / 2
    }
    items[place] = item
  }

  mutating func removeMinimum() -> Item? {
    guard let least = items.first, let moved = items.popLast() else { return nil }
    guard !items.isEmpty else { return least }
    var place = 0
    while 2 * place + 1 < items.count {
      var child = 2 * place + 1
      if child + 1 < items.count, items[child + 1] < items[child] { child += 1 }
      guard items[child] < moved else { break }
      items[place] = items[child]
      place = child
    }
    items[place] = moved
    return least
  }
}
