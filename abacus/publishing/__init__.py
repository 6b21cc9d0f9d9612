"""Publish experiments to a bucket: compare with what is live, refuse what would spoil it, keep the history."""
