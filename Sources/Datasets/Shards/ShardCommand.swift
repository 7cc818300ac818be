import Foundation
import Synchronization

/// A command of the shell whose standard output is read. It is ended and reaped with this object,
/// and with it whatever it started.
final class ShardCommand {
  /// Where its standard output is read.
  let output: Int32
  /// Nil once it has been reaped.
  private var process: pid_t?

  /// Starts a command with `/bin/sh -c`.
  init(_ line: String) throws(ShardError) {
    (output, process) = try Self.starting.withLock { _ throws(ShardError) in try Self.start(line) }
  }

  /// One start at a time: a command that inherits another's pipe would hold it open.
  private static let starting = Mutex(())

  private static func start(_ line: String) throws(ShardError) -> (output: Int32, process: pid_t) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw failure(errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    var process = pid_t()
    let code = spawn(line, output: ends[1], &process)
    guard code == 0 else {
      close(ends[0])
      throw failure(code)
    }
    return (ends[0], process)
  }

  deinit {
    close(output)
    end()
  }

  /// What the command reported when it ended, as a clause; nil when it ended well. One that does
  /// not end within five seconds of the last byte is ended.
  func ending(_ isCancelled: () -> Bool) -> String? {
    guard let process else { return nil }
    var status: Int32 = 0
    for _ in 0..<1000 where !isCancelled() {
      let found = waitpid(process, &status, WNOHANG)
      guard found == 0 || (found < 0 && errno == EINTR) else {
        self.process = nil
        return found == process ? Self.problem(status) : nil
      }
      usleep(5000)
    }
    end()
    return nil
  }

  /// Kills the whole group of processes and reaps the command.
  private func end() {
    guard let process else { return }
    kill(-process, SIGKILL)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    self.process = nil
  }

  private static func problem(_ status: Int32) -> String? {
    let (signal, code) = (status & 0x7F, status >> 8 & 0xFF)
    if signal != 0 { return "its command was ended by signal \(signal)" }
    return code == 0 ? nil : "its command failed with exit status \(code)"
  }

  private static func failure(_ code: Int32) -> ShardError {
    ShardError(problem: "its command cannot be started: \(String(cString: strerror(code)))")
  }

  private static func spawn(_ line: String, output: Int32, _ process: inout pid_t) -> Int32 {
    #if canImport(Darwin)
      var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?)
    #else
      var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // A group of its own, so that Ctrl-C lets the training finish its step; and the signals that
    // this process ignores or blocks do what they do elsewhere: a writer without a reader ends.
    var (defaults, blocked) = (sigset_t(), sigset_t())
    sigemptyset(&blocked)
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGXFSZ, SIGINT, SIGTERM] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))
    let words = ["/bin/sh", "-c", line]
    let variables = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    let (arguments, environment) = (cStrings(words), cStrings(variables))
    defer { for text in arguments + environment { free(text) } }
    return posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments, environment)
  }

  private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    texts.map { text in strdup(text) } + [nil]
  }
}
