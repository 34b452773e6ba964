"""The source of the FlowWarp kernel, which the runtime compiles where it has to."""
