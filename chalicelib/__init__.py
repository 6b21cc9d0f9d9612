"""What ships in the Lambda functions, and what they share with the command line."""
