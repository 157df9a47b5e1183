"""One thread, one virtual clock, one seed: the real brackets, kinds and reaper against the simulator's clouds."""
