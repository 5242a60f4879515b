"""Sound: waveform <-> log-mel, and its picture."""
