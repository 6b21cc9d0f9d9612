"""The two DynamoDB tables and the published manifest: what is stored, how, and when to try again."""
