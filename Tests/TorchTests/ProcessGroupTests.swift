import Testing

@testable import Torch

@Suite struct ProcessGroupTests {
  @Test(arguments: [
    (
      "all_reduce_: [/pytorch/gloo/pair.cc:534] Connection closed by peer [127.0.0.1]:33932. Look.\n at",
      "Connection closed by peer [127.0.0.1]:33932"
    ),
    ("reducer_backward([]): Timed out.", "Timed out"),
    (
      "process_group: The client socket has timed out after 2000ms while trying to connect to (a, 1)",
      "The client socket has timed out after 2000ms while trying to connect to (a, 1)"
    ),
  ]) func theFirstSentenceIsTheReason(_ text: String, _ reason: String) {
    #expect(ProcessGroupError.reason(in: text) == reason)
  }
}
