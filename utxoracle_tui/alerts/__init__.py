"""What has to be noticed even by somebody who isn't looking: rules over what the engine says, and who is told."""
