import Torch

/// What a layer with weight and bias leaves for a measure `seed` of its output `y`: the output, the
/// gradients of input, weight and bias, and those of the gradient's own norm by input and weight. All
/// three ends must require gradients.
public func outputAndGradients(
  of y: Tensor, seed: Tensor, x: Tensor, weight: Tensor, bias: Tensor
) -> [(name: String, value: Tensor)] {
  let first = (y * seed).sum().gradients(withRespectTo: [x, weight, bias], retainingGraph: true)
  let once = (y.square() * seed).sum().gradients(withRespectTo: [x], creatingGraph: true)
  let second = once[0]!.square().sum().gradients(withRespectTo: [x, weight])
  return [
    ("output", y.detached()), ("dx", first[0]!), ("dweight", first[1]!), ("dbias", first[2]!),
    ("d²x", second[0]!), ("d²weight", second[1]!),
  ]
}
