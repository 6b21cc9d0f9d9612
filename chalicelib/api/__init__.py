"""What is common to HTTP requests and responses, and the protocols besides our own: OFREP, the legacy tracker."""
