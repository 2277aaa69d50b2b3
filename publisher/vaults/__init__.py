"""The edges where private keys are kept, or the key sets of those that keep their own."""
