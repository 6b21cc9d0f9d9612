"""Create a stage in an AWS account, update it, test it, and remove it."""
