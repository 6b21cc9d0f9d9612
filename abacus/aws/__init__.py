"""An AWS account as the commands see it: stacks, templates, names of resources, errors."""
