"""One visitor's row: write it once, remember that it is full, queue what it cannot take yet."""
