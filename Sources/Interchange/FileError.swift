#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that could not be opened, read or written.
public struct FileError: ExplainedError, Equatable {
  /// The file or folder that the operation was about.
  public let path: String?
  /// What went wrong and what to do, as one sentence.
  public let sentence: String
  /// The system's error number, or 0 where the failure did not come from a system call.
  public let code: Int32

  /// Makes an error from a sentence of the caller's.
  public init(path: String, sentence: String, code: Int32 = 0) {
    self.path = path
    self.sentence = sentence
    self.code = code
  }

  /// Makes an error from a failed system call: `action` says what was tried ("it cannot be read").
  public init(path: String, action: String, code: Int32) {
    self.init(path: path, sentence: "\(action): \(FileError.reason(code)).", code: code)
  }

  private static func reason(_ code: Int32) -> String {
    switch code {
    case ENOENT: "there is no such file or folder, so check the path"
    case EACCES, EPERM: "permission is denied, so check who may use it"
    case EISDIR: "it is a folder, but a file is needed"
    case ENOTDIR: "a part of the path is a file, not a folder"
    case ENOSPC, EDQUOT: "the disk is full, so free some space and try again"
    case EROFS: "the disk is read-only, so choose another folder"
    case EFBIG: "the file would become larger than this disk or session allows"
    case EMFILE, ENFILE: "too many files are open, so close some or raise the limit (ulimit -n)"
    case ENAMETOOLONG: "the path is too long, so choose a shorter one"
    case ELOOP: "its symbolic links go round in a circle"
    default: String(cString: strerror(code))
    }
  }
}
