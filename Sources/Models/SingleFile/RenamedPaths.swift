/// New names for the leading parts of dotted paths.
struct RenamedPaths {
  private var names: [String: String] = [:]

  /// Gives everything at and below `path` the name `name`, unless a longer path says otherwise.
  subscript(path: String) -> String? {
    get { names[path] }
    set { names[path] = newValue }
  }

  /// The new name of a path, or `nil` where no leading part of it has one.
  func callAsFunction(_ path: String) -> String? {
    var head = path[...]
    while true {
      if let name = names[String(head)] { return name + path[head.endIndex...] }
      guard let dot = head.lastIndex(of: ".") else { return nil }
      head = head[..<dot]
    }
  }

  /// The way back.
  var inverse: RenamedPaths {
    var result = RenamedPaths()
    for (path, name) in names { result[name] = path }
    return result
  }
}
