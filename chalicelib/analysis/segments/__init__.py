"""Effects by segment, such as device, and the estimate that is adjusted for segments."""
